import type { IncomingMessage } from 'node:http';
import type { Logger } from '../../core/logger.js';
import { foldPath } from '../../core/principal.js';
import { rawPath, requestTarget } from '../../http/request-target.js';
import { withoutClosingSlash } from '../../http/well-known.js';
import { resourceOriginOf } from '../../oauth/refusal.js';

/** Creates a check that warns once if `callerToken.issuer` may be the issuer of the OAuth proxy, whose keys are those of other tokens. */
export function createIssuerWarning(issuer: string | undefined, logger: Logger): (req: IncomingMessage) => void {
  let isDue = issuer !== undefined;
  return (req) => {
    if (issuer === undefined || !isDue) return;
    const origin = resourceOriginOf(req);
    if (origin === undefined) return;
    isDue = false;
    const endpoint = origin + foldPath(rawPath(requestTarget(req)));
    if (![origin, endpoint].includes(withoutClosingSlash(issuer))) return;
    logger.warn(
      `mcpHttpBackend(): callerToken.issuer is "${issuer}", where MCP servers may find the metadata of the OAuth proxy, and accept ` +
        `other tokens: choose another URL of this server, such as "${origin}/callers"`,
    );
  };
}
