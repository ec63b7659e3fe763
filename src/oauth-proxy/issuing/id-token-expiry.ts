import { parseCompactJwt } from '../../auth/token/compact-jwt.js';
import { AuthError } from '../../core/errors.js';

/**
 * True if an ID token that was kept is no longer accepted for its age at a time. It does not check anything else.
 *
 * @param time Milliseconds since 1970.
 */
export function isIdTokenOver(idToken: string, time: number): boolean {
  try {
    const { exp } = parseCompactJwt(idToken).payload;
    return typeof exp !== 'number' || exp * 1_000 <= time;
  } catch (error) {
    if (error instanceof AuthError) return true;
    throw error;
  }
}
