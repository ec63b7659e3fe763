import type { IncomingMessage } from 'node:http';
import { type AuthInfo, isAttached } from '../core/auth-info.js';
import { createPerRequest } from '../core/per-request.js';
import { type PresentedCredential, removeCredentials } from '../oauth/credential-reader.js';
import type { ResolvedAuth } from '../policy/resolve-auth.js';

/** A credential that a policy with `stripAuthorization` took off a request. */
export interface StrippedCredential {
  readonly policy: ResolvedAuth;
  readonly credential: PresentedCredential;
  /** The `DPoP` header, which went with it. */
  readonly proof: string | undefined;
  /** The identity that the policy attached to the request. */
  readonly auth: AuthInfo;
}

// Not shared with other copies of the package: their policies are others.
const stripped = createPerRequest<StrippedCredential>();

/** Takes a credential off its request, and remembers it: `mcpAuth()` verifies it again if the same policy handles the request once more. */
export function stripCredential(req: IncomingMessage, taken: StrippedCredential): void {
  stripped.set(req, taken);
  removeCredentials(req, taken.policy);
}

/** Returns the credential that this policy took off the request. Undefined if another policy has handled the request since then. */
export function findStripped(req: IncomingMessage, policy: ResolvedAuth): StrippedCredential | undefined {
  const found = stripped.get(req);
  return found?.policy === policy && isAttached(req, found.auth) ? found : undefined;
}
