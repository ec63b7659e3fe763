import { isDeepStrictEqual } from 'node:util';
import type { AuthInfo } from '../../core/auth-info.js';

/** The rights that come with a credential: the user, the scopes, and the claims that rules may read. */
export interface CredentialGrant {
  readonly subject?: string | undefined;
  readonly scopes: readonly string[];
  readonly claims: Readonly<Record<string, unknown>>;
}

/** True if calls and streams that began with the grant `before` may go on with `now`: the same user, no scope less, and the same claims. */
export function givesAsMuch(now: CredentialGrant, before: CredentialGrant): boolean {
  const keepsScopes = before.scopes.every((scope) => now.scopes.includes(scope));
  // Rules may read any claim.
  return now.subject === before.subject && keepsScopes && isDeepStrictEqual(now.claims, before.claims);
}

/**
 * Claims that may differ in each answer about one token, and give the user nothing: times, and the token's id. Scopes are compared as such:
 * there may be more of them, in any order.
 */
const VARYING_CLAIMS: ReadonlySet<string> = new Set([
  'exp',
  'expires_in',
  'iat',
  'nbf',
  'jti',
  'auth_time',
  'updated_at',
  'scope',
  'scp',
]);

/** Returns what an answer about a token gives. */
export function grantOf({ subject, scopes, payload }: AuthInfo): CredentialGrant {
  const claims = Object.entries(payload).filter(([name]) => !VARYING_CLAIMS.has(name));
  return { subject, scopes, claims: Object.fromEntries(claims) };
}
