import type { AuthInfo } from '../core/auth-info.js';

/** Returns the scopes that a caller has, with all scopes that these imply. */
export type GrantedScopes = (auth: AuthInfo | undefined) => ReadonlySet<string>;

const NONE: ReadonlySet<string> = new Set();

export function createGrantedScopes(implies: ReadonlyMap<string, readonly string[]>): GrantedScopes {
  // Requests with the same token share one AuthInfo.
  const known = new WeakMap<AuthInfo, ReadonlySet<string>>();
  return (auth) => {
    if (auth === undefined) return NONE;
    const cached = known.get(auth);
    if (cached !== undefined) return cached;
    const granted = new Set(auth.scopes);
    // The loop also visits scopes that it adds, in order of insertion. A cycle ends because a set holds each scope once.
    for (const scope of granted) for (const implied of implies.get(scope) ?? []) granted.add(implied);
    known.set(auth, granted);
    return granted;
  };
}
