import type { AuthInfo } from '../auth-info.js';

/** Tokens that are refused although they verify. */
export interface Revocations {
  add(what: string | ((auth: AuthInfo) => boolean)): void;
  includes(auth: AuthInfo): boolean;
}

export function createRevocations(): Revocations {
  const tokens = new Set<string>();
  const rules: { readonly matches: (auth: AuthInfo) => boolean; readonly madeAtSeconds: number }[] = [];
  return {
    add(what) {
      if (typeof what === 'string' && what !== '') tokens.add(signedPart(what));
      else if (typeof what !== 'function') throw new TypeError('revoke() takes a token or a function');
      else rules.push({ matches: what, madeAtSeconds: Math.ceil(Date.now() / 1000) });
    },
    includes(auth) {
      return tokens.has(signedPart(auth.token)) || rules.some((rule) => applies(rule, auth));
    },
  };
}

/** ECDSA lets anyone make a second valid signature of the same token; header and payload are what is revoked. */
function signedPart(token: string): string {
  return token.slice(0, token.lastIndexOf('.'));
}

/** A rule is for the tokens that were out when it was made: a user who logs in again is let in again. */
function applies(
  { matches, madeAtSeconds }: { matches: (auth: AuthInfo) => boolean; madeAtSeconds: number },
  auth: AuthInfo,
) {
  const issuedAt = auth.payload.iat;
  if (typeof issuedAt === 'number' && issuedAt > madeAtSeconds) return false;
  try {
    return matches(auth);
  } catch {
    // A rule that cannot tell denies: failing open would let the revoked token in.
    return true;
  }
}
