import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AuthInfo, getAuth } from '../core/auth-info.js';
import { createCallerValues } from '../core/caller-values.js';
import { AuthError, REFUSALS, type RefusalCode } from '../core/errors.js';
import { signedSessionOf } from '../core/own-sessions.js';
import { createPerRequest } from '../core/per-request.js';
import type { SessionSigner } from '../core/session-signer.js';
import { shareValue } from '../core/shared-state.js';
import { type JsonReply, sendJson } from '../http/reply.js';
import { rawPath, requestTarget } from '../http/request-target.js';
import { type ChallengeContext, challengeFor } from './challenge.js';
import type { Scheme } from './credentials.js';
import { type AcceptedCredentials, refusalText } from './refusal-text.js';
import { requestOrigin } from './request-origin.js';
import { forTenant, type TenantPaths } from './tenant-paths.js';
import { resourceMetadataPath } from './well-known.js';

/** The details of a refusal that differ from request to request. */
export interface RefusalDetail {
  /** The scopes that this request needs, besides those that every request needs. */
  readonly scopes: readonly string[];
  /** Describes the refusal in the body. The challenge keeps the constant text: see `challengeFor()`. */
  readonly bodyDescription?: string | undefined;
}

/** Answers a refused request, with a challenge for the scheme of its token. */
export type Refuse = (
  req: IncomingMessage,
  res: ServerResponse,
  code: RefusalCode,
  scheme: Scheme,
  detail?: RefusalDetail,
) => void;

/** The settings that all refusals of one policy share. */
export type RefusalContext = Pick<ChallengeContext, 'dpop'> &
  AcceptedCredentials & {
    /** Undefined if the URL of the metadata follows the origin of each request. */
    readonly resource:
      | { readonly origin: string; readonly pathname: string; readonly tenants?: TenantPaths | undefined }
      | undefined;
    /** Replaces the URL that follows from the resource. */
    readonly metadataUrl: string | undefined;
    readonly requiredScopes: readonly string[];
    /** Further scopes that a 401 names. */
    readonly challengeScopes: readonly string[];
  };

/** Creates the function that answers refused requests. If all requests have the same metadata URL, it builds each response only once, here. */
export function createRefusal(settings: RefusalContext): Refuse {
  const { requiredScopes, challengeScopes, dpop } = settings;
  const contextFor = (
    code: RefusalCode,
    scheme: Scheme,
    { scopes, bodyDescription }: RefusalDetail = { scopes: [] },
  ) => ({
    dpop,
    scheme,
    bodyDescription,
    description: refusalText(code, settings),
    scopes: [...new Set([...requiredScopes, ...(REFUSALS[code].status === 401 ? challengeScopes : []), ...scopes])],
  });
  const metadataUrl = metadataUrlOf(settings);
  if (typeof metadataUrl === 'function') {
    return (req, res, code, scheme, detail) =>
      sendJson(
        res,
        challengeForRequest(() => metadataUrl(req), code, contextFor(code, scheme, detail)),
      );
  }
  const write = (scheme: Scheme) => {
    const codes = Object.keys(REFUSALS) as RefusalCode[];
    return new Map(codes.map((code) => [code, challengeFor(code, { metadataUrl, ...contextFor(code, scheme) })]));
  };
  const written = { bearer: write('bearer'), dpop: write('dpop') };
  return (_req, res, code, scheme, detail) => {
    const own = detail && challengeFor(code, { metadataUrl, ...contextFor(code, scheme, detail) });
    sendJson(res, own ?? (written[scheme].get(code) as JsonReply));
  };
}

/** Returns the URL of the metadata, or the function that returns it for a request: undefined if the path of the request names no tenant. */
function metadataUrlOf({
  resource,
  metadataUrl,
}: RefusalContext): string | ((req: IncomingMessage) => string | undefined) {
  if (resource === undefined) return metadataUrl ?? ((req) => requestOrigin(req) + resourceMetadataPath('/'));
  const url = metadataUrl ?? resource.origin + resourceMetadataPath(resource.pathname);
  const { tenants } = resource;
  if (tenants === undefined) return url;
  return (req) => {
    const tenant = tenants.tenantAt(rawPath(requestTarget(req)));
    return tenant === undefined ? undefined : forTenant(url, tenant);
  };
}

function challengeForRequest(
  metadataUrl: () => string | undefined,
  code: RefusalCode,
  context: Omit<ChallengeContext, 'metadataUrl'>,
): JsonReply {
  try {
    return challengeFor(code, { ...context, metadataUrl: metadataUrl() });
  } catch (error) {
    if (!(error instanceof AuthError)) throw error;
    // The Host header is unusable in a URL. Report that: it must be fixed first.
    return challengeFor(error.code, {
      ...context,
      metadataUrl: undefined,
      description: undefined,
      bodyDescription: undefined,
    });
  }
}

/** Refuses a request that `mcpAuth()` has already accepted, for `mcpScopes()`. The scheme of its token is bound in. */
export type Refuser = (req: IncomingMessage, res: ServerResponse, code: RefusalCode, detail: RefusalDetail) => void;

/**
 * Creates the refusers of one policy, one for each scheme.
 *
 * @param sessionSigner The signer of a policy with a `secret`.
 */
export function createRefusers(
  refuse: Refuse,
  { resource }: Pick<RefusalContext, 'resource'>,
  sessionSigner?: SessionSigner | undefined,
): Readonly<Record<Scheme, Refuser>> {
  const byScheme: Record<Scheme, Refuser> = {
    bearer: (req, res, code, detail) => refuse(req, res, code, 'bearer', detail),
    dpop: (req, res, code, detail) => refuse(req, res, code, 'dpop', detail),
  };
  for (const each of Object.values(byScheme)) {
    if (resource !== undefined) resourceOrigins.set(each, resource.origin);
    if (sessionSigner !== undefined) sessionSigners.set(each, sessionSigner);
  }
  return byScheme;
}

const resourceOrigins = shareValue('resourceOrigins', () => new WeakMap<Refuser, string>());

const sessionSigners = shareValue('sessionSigners', () => new WeakMap<Refuser, SessionSigner>());

const anonymousRefusers = shareValue('anonymousRefusals', createPerRequest<Refuser>);

// One entry for all requests with the same token: they share the identity and the scheme.
const refusers = createCallerValues<Refuser>('refuser');

/** Lets a later middleware refuse requests of this caller as the `mcpAuth()` that verified the caller does. */
export function setRefuser(auth: AuthInfo, refuse: Refuser): void {
  refusers.set(auth, refuse);
}

/** The same for an anonymous request. */
export function setAnonymousRefuser(req: IncomingMessage, refuse: Refuser): void {
  anonymousRefusers.set(req, refuse);
}

/** Returns the refuser of the `mcpAuth()` that accepted the request; undefined if none did. */
export function refuserOf(req: IncomingMessage): Refuser | undefined {
  const auth = getAuth(req);
  return auth === undefined ? anonymousRefusers.get(req) : refusers.get(auth);
}

/** Returns the origin of the resource that the request was accepted for; undefined if its policy names no resource. */
export function resourceOriginOf(req: IncomingMessage): string | undefined {
  const refuse = refuserOf(req);
  return refuse && resourceOrigins.get(refuse);
}

/**
 * Returns the signer of the session ids in the answer to this request: that of the `mcpAuth()` that verified the id in the request, or else
 * that of the last `mcpAuth()` in front. Undefined if its policy has no `secret`.
 */
export function sessionSignerOf(req: IncomingMessage): SessionSigner | undefined {
  const signed = signedSessionOf(req);
  if (signed !== undefined) return signed.signer;
  const refuse = refuserOf(req);
  return refuse && sessionSigners.get(refuse);
}
