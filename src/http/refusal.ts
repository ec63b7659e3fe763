import type { IncomingMessage, ServerResponse } from 'node:http';
import { AuthError, REFUSALS, type RefusalCode } from '../errors.js';
import { type ChallengeContext, challengeFor } from './challenge.js';
import type { Scheme } from './credentials.js';
import { type JsonReply, sendJson } from './reply.js';
import { requestOrigin } from './request-origin.js';
import { resourceMetadataPath } from './well-known.js';

/** Answers a request that is refused. */
export type Refuse = (req: IncomingMessage, res: ServerResponse, code: RefusalCode, scheme?: Scheme) => void;

/** What every refusal of one policy has in common. */
export type RefusalContext = Pick<ChallengeContext, 'scopes' | 'dpop'> & {
  /** Undefined where the metadata's URL has to be found from the request. */
  readonly resource: URL | undefined;
};

/** Every refusal's answer is written once where the resource is known. */
export function createRefusal({ resource, scopes, dpop }: RefusalContext): Refuse {
  if (resource === undefined) {
    return (req, res, code, scheme = 'bearer') =>
      sendJson(res, challengeForOrigin(req, code, { scopes, dpop, scheme }));
  }
  const metadataUrl = resource.origin + resourceMetadataPath(resource.pathname);
  const write = (scheme: Scheme) => {
    const codes = Object.keys(REFUSALS) as RefusalCode[];
    return new Map(codes.map((code) => [code, challengeFor(code, { metadataUrl, scopes, dpop, scheme })]));
  };
  const written = { bearer: write('bearer'), dpop: write('dpop') };
  return (_req, res, code, scheme = 'bearer') => sendJson(res, written[scheme].get(code) as JsonReply);
}

function challengeForOrigin(
  req: IncomingMessage,
  code: RefusalCode,
  context: Omit<ChallengeContext, 'metadataUrl'>,
): JsonReply {
  try {
    return challengeFor(code, { ...context, metadataUrl: requestOrigin(req) + resourceMetadataPath('/') });
  } catch (error) {
    if (!(error instanceof AuthError)) throw error;
    // A Host header that cannot stand in a URL is what has to be mended first.
    return challengeFor(error.code, { ...context, metadataUrl: undefined });
  }
}
