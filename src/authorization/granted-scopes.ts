import type { AuthInfo } from '../core/auth-info.js';

/** The scopes a caller has, with all that they imply. */
export type GrantedScopes = (auth: AuthInfo | undefined) => ReadonlySet<string>;

const NONE: ReadonlySet<string> = new Set();

export function createGrantedScopes(implies: ReadonlyMap<string, readonly string[]>): GrantedScopes {
  // Requests with the same token share one AuthInfo.
  const known = new WeakMap<AuthInfo, ReadonlySet<string>>();
  return (auth) => {
    if (auth === undefined) return NONE;
    const before = known.get(auth);
    if (before !== undefined) return before;
    const granted = new Set(auth.scopes);
    // A set is walked in the order of insertion, what is added on the way included; a circle ends where it began.
    for (const scope of granted) for (const implied of implies.get(scope) ?? []) granted.add(implied);
    known.set(auth, granted);
    return granted;
  };
}
