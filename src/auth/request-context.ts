import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AuthInfo } from '../core/auth-info.js';
import { isAnswered } from '../http/answered.js';
import { rawPath, requestTarget } from '../http/request-target.js';
import type { Scheme } from '../oauth/credentials.js';
import type { ResolvedAuth } from '../policy/resolve-auth.js';
import type { ResourceIdentity } from '../policy/resolve-resource.js';
import { countedUsesOf } from './binding/counted-uses.js';
import type { Presentation } from './binding/proof.js';
import type { StrippedCredential } from './stripped-credential.js';

/** One request, with what `mcpAuth()` knows about it so far. */
export interface RequestContext {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly next: (error?: unknown) => void;
  readonly began: number;
  /** The scheme of the token. */
  scheme: Scheme;
  /** True if the response was still open when the middleware began to wait: something else may then answer it. */
  wasOpenBeforeWait: boolean;
  /** The resource that the request asks for. */
  resource: ResourceIdentity | undefined;
  /** The verified identity; undefined before the token is verified. */
  auth: AuthInfo | undefined;
  /** True if the token cache had the token. */
  cached: boolean;
  /** The credential of the request, if this policy took it off at an earlier pass. */
  stripped: StrippedCredential | undefined;
}

export function createRequestContext(
  req: IncomingMessage,
  res: ServerResponse,
  next: (error?: unknown) => void,
): RequestContext {
  const began = performance.now();
  const unknown = { resource: undefined, auth: undefined, stripped: undefined };
  return { req, res, next, began, scheme: 'bearer', wasOpenBeforeWait: false, ...unknown, cached: false };
}

/** Returns the evidence that the sender of a request is the client its token was issued to. */
export function presentationOf(context: RequestContext, { resource, mtls }: ResolvedAuth): Presentation {
  const { req, scheme } = context;
  return {
    scheme,
    method: req.method ?? '',
    // A policy with `senderConstraint.dpop` must have a resource. The Host header of the request proves nothing.
    origin: resource?.origin,
    path: rawPath(requestTarget(req)),
    proof: proofOf(context),
    uses: () => countedUsesOf(req),
    certificate: () => mtls?.getCertificate(req) ?? undefined,
  };
}

/** Returns the `DPoP` header of a request, even if it was taken off with the token. */
export function proofOf({ req, stripped }: RequestContext): string | undefined {
  const { dpop } = req.headers;
  if (stripped !== undefined) return stripped.proof;
  return Array.isArray(dpop) ? dpop.join(',') : dpop;
}

/** True if something else answered, or the client hung up, while the middleware waited for a slow key server. */
export function isOverAfterWait({ wasOpenBeforeWait, res }: RequestContext): boolean {
  return wasOpenBeforeWait && (isAnswered(res) || res.destroyed);
}
