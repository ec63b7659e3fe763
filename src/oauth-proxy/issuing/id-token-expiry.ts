import { parseCompactJwt } from '../../auth/token/compact-jwt.js';
import { AuthError } from '../../core/errors.js';

/** True if an ID token that was kept is no longer accepted for its age. It does not check anything else. */
export function isIdTokenOver(idToken: string): boolean {
  try {
    const { exp } = parseCompactJwt(idToken).payload;
    return typeof exp !== 'number' || exp * 1_000 <= Date.now();
  } catch (error) {
    if (error instanceof AuthError) return true;
    throw error;
  }
}
