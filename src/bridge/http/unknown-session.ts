import type { IncomingMessage } from 'node:http';
import type { Logger } from '../../core/logger.js';
import { printable } from '../../core/printable.js';
import { createRareLines } from '../../core/rare-line.js';
import { rawPath, requestTarget } from '../../http/request-target.js';
import { BridgeError } from '../../messages/bridge-error.js';

/** Characters of a path in the log. */
const MAX_PATH = 200;

/** The causes of the error, for the log. The client gets the same answer for all of them. */
const CAUSES = {
  unknown:
    'this process does not know it: it has ended, or it was opened before a restart or at another replica. ' +
    'With mcpAuth({ secret }), every replica knows it',
  foreign: 'it belongs to another user, or to another client or path of this user',
  unsigned:
    'its id has no valid signature for this user, client and path: it was altered, signed with another secret, ' +
    'or opened by another caller',
} as const;

/**
 * Creates the function that builds the error for a session which the caller may not use. It logs each cause at most once a minute, without
 * the id of the session.
 */
export function createUnknownSession(
  who: string,
  { url, logger }: { readonly url: URL; readonly logger: Logger },
): (cause: keyof typeof CAUSES, req: IncomingMessage) => BridgeError {
  const log = createRareLines<keyof typeof CAUSES>((line) => logger.info(line));
  return (cause, req) => {
    const path = printable(rawPath(requestTarget(req)), MAX_PATH);
    log(
      cause,
      `${who}: ${url.origin}${url.pathname}: a request to ${path} names a session that its caller may not use (unknown_session): ${CAUSES[cause]}`,
    );
    return new BridgeError('unknown_session');
  };
}
