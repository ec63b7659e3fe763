import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AuthInfo, getAuth } from '../core/auth-info.js';
import { AuthError, REFUSALS, type RefusalCode } from '../core/errors.js';
import { signedSessionOf } from '../core/own-sessions.js';
import { createPerRequest } from '../core/per-request.js';
import type { SessionSigner } from '../core/session-signer.js';
import { shareValue } from '../core/shared-state.js';
import { type JsonReply, sendJson } from '../http/reply.js';
import { type ChallengeContext, challengeFor } from './challenge.js';
import type { Scheme } from './credentials.js';
import { requestOrigin } from './request-origin.js';
import { resourceMetadataPath } from './well-known.js';

/** What only the request at hand can tell of its refusal. */
export interface RefusalDetail {
  /** Scopes that this request needs, beside those that every request needs. */
  readonly scopes: readonly string[];
  readonly description?: string | undefined;
}

/** Answers a request that is refused, in the scheme in which its token came. */
export type Refuse = (
  req: IncomingMessage,
  res: ServerResponse,
  code: RefusalCode,
  scheme: Scheme,
  detail?: RefusalDetail,
) => void;

/** What every refusal of one policy has in common. */
export type RefusalContext = Pick<ChallengeContext, 'dpop'> & {
  /** Undefined where the metadata's URL has to be found from the request. */
  readonly resource: { readonly origin: string; readonly pathname: string } | undefined;
  readonly requiredScopes: readonly string[];
};

/** Every refusal's answer is written once where the resource is known. */
export function createRefusal({ resource, requiredScopes, dpop }: RefusalContext): Refuse {
  const contextFor = (scheme: Scheme, { scopes, description }: RefusalDetail = { scopes: [] }) => ({
    dpop,
    scheme,
    description,
    scopes: [...new Set([...requiredScopes, ...scopes])],
  });
  if (resource === undefined) {
    return (req, res, code, scheme, detail) => sendJson(res, challengeForOrigin(req, code, contextFor(scheme, detail)));
  }
  const metadataUrl = resource.origin + resourceMetadataPath(resource.pathname);
  const write = (scheme: Scheme) => {
    const codes = Object.keys(REFUSALS) as RefusalCode[];
    return new Map(codes.map((code) => [code, challengeFor(code, { metadataUrl, ...contextFor(scheme) })]));
  };
  const written = { bearer: write('bearer'), dpop: write('dpop') };
  return (_req, res, code, scheme, detail) => {
    const own = detail && challengeFor(code, { metadataUrl, ...contextFor(scheme, detail) });
    sendJson(res, own ?? (written[scheme].get(code) as JsonReply));
  };
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
    return challengeFor(error.code, { ...context, metadataUrl: undefined, description: undefined });
  }
}

/** How a gate refuses a request that it has let through: whoever decides later need not know how the token came. */
export type Refuser = (req: IncomingMessage, res: ServerResponse, code: RefusalCode, detail: RefusalDetail) => void;

/** @param sessionSigner Of a policy with a `secret`. */
export function createRefusers(
  refuse: Refuse,
  { resource }: Pick<RefusalContext, 'resource'>,
  sessionSigner?: SessionSigner | undefined,
): Readonly<Record<Scheme, Refuser>> {
  const refusals: Record<Scheme, Refuser> = {
    bearer: (req, res, code, detail) => refuse(req, res, code, 'bearer', detail),
    dpop: (req, res, code, detail) => refuse(req, res, code, 'dpop', detail),
  };
  for (const each of Object.values(refusals)) {
    if (resource !== undefined) resourceOrigins.set(each, resource.origin);
    if (sessionSigner !== undefined) sessionSigners.set(each, sessionSigner);
  }
  return refusals;
}

const resourceOrigins = shareValue('resourceOrigins', () => new WeakMap<Refuser, string>());

const sessionSigners = shareValue('sessionSigners', () => new WeakMap<Refuser, SessionSigner>());

const anonymousRefusers = shareValue('anonymousRefusals', createPerRequest<Refuser>);

// Noted once for all requests with the same token, which share the identity and the scheme.
const refusers = shareValue('refusals', () => new WeakMap<AuthInfo, Refuser>());

/** Lets whoever decides later on a request of this caller refuse it in the name of the gate that verified the caller. */
export function setRefuser(auth: AuthInfo, refuse: Refuser): void {
  refusers.set(auth, refuse);
}

/** The same for a request without a caller. */
export function setAnonymousRefuser(req: IncomingMessage, refuse: Refuser): void {
  anonymousRefusers.set(req, refuse);
}

/** How the gate that the request came through refuses; undefined where it came through none. */
export function refuserOf(req: IncomingMessage): Refuser | undefined {
  const auth = getAuth(req);
  return auth === undefined ? anonymousRefusers.get(req) : refusers.get(auth);
}

/** The origin of the resource that the request was let through to; undefined where no policy names one. */
export function resourceOriginOf(req: IncomingMessage): string | undefined {
  const refuse = refuserOf(req);
  return refuse && resourceOrigins.get(refuse);
}

/**
 * What signs the session ids that the answer to this request hands out: the signer of the `mcpAuth()` that verified the id which the
 * request names, else that of the last one it came through. Undefined where their policy has no `secret`.
 */
export function sessionSignerOf(req: IncomingMessage): SessionSigner | undefined {
  const signed = signedSessionOf(req);
  if (signed !== undefined) return signed.signer;
  const refuse = refuserOf(req);
  return refuse && sessionSigners.get(refuse);
}
