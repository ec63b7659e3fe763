import type { IncomingMessage, ServerResponse } from 'node:http';
import { AuthError, REFUSALS, type RefusalCode } from '../errors.js';
import { type Challenge, challengeFor } from './challenge.js';
import { replyJson } from './reply.js';
import { requestOrigin } from './request-origin.js';
import { resourceMetadataPath } from './well-known.js';

/** Answers a request that is refused. */
export type Refuse = (req: IncomingMessage, res: ServerResponse, code: RefusalCode) => void;

/**
 * Every refusal's answer is written once where the resource is known; where it is not, the metadata's URL is found from
 * the request.
 */
export function createRefusal(resource: URL | undefined, scopes: readonly string[]): Refuse {
  if (resource === undefined) {
    return (req, res, code) => send(res, challengeForOrigin(req, code, scopes));
  }
  const metadataUrl = resource.origin + resourceMetadataPath(resource.pathname);
  const codes = Object.keys(REFUSALS) as RefusalCode[];
  const written = new Map(codes.map((code) => [code, challengeFor(code, { metadataUrl, scopes })]));
  return (_req, res, code) => send(res, written.get(code) as Challenge);
}

function challengeForOrigin(req: IncomingMessage, code: RefusalCode, scopes: readonly string[]): Challenge {
  try {
    return challengeFor(code, { metadataUrl: requestOrigin(req) + resourceMetadataPath('/'), scopes });
  } catch (error) {
    if (!(error instanceof AuthError)) throw error;
    // A Host header that cannot stand in a URL is what has to be mended first.
    return challengeFor(error.code, { metadataUrl: undefined, scopes });
  }
}

function send(res: ServerResponse, { status, headers, body }: Challenge): void {
  replyJson(res, status, body, headers);
}
