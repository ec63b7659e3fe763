import { createHash } from 'node:crypto';
import type { CompactJwt } from '../auth/token/compact-jwt.js';

/** The values that the claims of a client's assertion must have. */
export interface ExpectedClaims {
  readonly clientId: string;
  /** Our issuer and our token endpoint. */
  readonly audiences: readonly string[];
  readonly clockToleranceSeconds: number;
}

/**
 * The longest time until `exp`. The MCP SDKs sign for exactly 5 minutes, and other authorization servers (Auth0, Better Auth) accept no
 * more, so that clients keep to it.
 */
const MAX_LIFETIME_SECONDS = 300;

/** Seconds for which one assertion can be accepted: `exp` is at most this far ahead at first, and behind our clock at last. */
export function assertionWindowSeconds(clockToleranceSeconds: number): number {
  return MAX_LIFETIME_SECONDS + 2 * clockToleranceSeconds;
}

/** `typ` of draft-ietf-oauth-rfc7523bis, and that of older clients. Another one marks a JWT for another purpose (RFC 8725, section 3.11). */
const TYPES = /^(?:application\/)?(?:client-authentication\+)?jwt$/i;

/**
 * Returns what is wrong with the header or the claims of an assertion (RFC 7523, section 3); undefined if nothing is. The sentence is
 * public: it quotes nothing of the assertion. Checks neither the signature nor that the assertion is used for the first time.
 */
export function assertionFault({ header, payload }: CompactJwt, expected: ExpectedClaims): string | undefined {
  const { typ } = header;
  if (typ !== undefined && !(typeof typ === 'string' && TYPES.test(typ))) {
    return 'its typ must be client-authentication+jwt or JWT, or be left out';
  }
  const { iss, sub, jti } = payload;
  if (iss !== expected.clientId || sub !== expected.clientId) return 'its iss and sub must both be the client id';
  if (!isFor(payload.aud, expected.audiences)) return `its aud must be one of ${expected.audiences.join(', ')}, alone`;
  if (jti !== undefined && (typeof jti !== 'string' || jti === '')) return 'its jti must be a string that is not empty';
  return timeFault(payload, expected.clockToleranceSeconds);
}

/**
 * A single audience, as draft-ietf-oauth-rfc7523bis requires: with several, one of those servers could present the assertion here. The
 * draft accepts the issuer only; ChatGPT sends the token endpoint (RFC 7523, section 3).
 */
function isFor(aud: unknown, audiences: readonly string[]): boolean {
  const [only, another] = Array.isArray(aud) ? aud : [aud];
  return another === undefined && typeof only === 'string' && audiences.includes(only);
}

function timeFault({ exp, nbf, iat }: Readonly<Record<string, unknown>>, toleranceSeconds: number): string | undefined {
  const now = Date.now() / 1_000;
  if (!Number.isFinite(exp)) return 'its exp must be a number';
  const expiry = exp as number;
  if (expiry + toleranceSeconds <= now) return 'it has expired';
  if (expiry - toleranceSeconds > now + MAX_LIFETIME_SECONDS) {
    return `its exp must be at most ${MAX_LIFETIME_SECONDS} seconds ahead`;
  }
  for (const [name, value] of Object.entries({ nbf, iat })) {
    if (value === undefined) continue;
    if (!Number.isFinite(value)) return `its ${name} must be a number`;
    if ((value as number) - toleranceSeconds > now) return `its ${name} must not be in the future`;
  }
  return undefined;
}

/**
 * Returns the id that an assertion uses up: its `jti`, else the hash of what is signed. Not of the whole assertion, since an ECDSA
 * signature can be altered so that it is still valid.
 */
export function onceIdOf({ token, payload }: CompactJwt): string {
  const { jti } = payload;
  if (typeof jti === 'string') return `jti ${jti}`;
  const signed = token.slice(0, token.lastIndexOf('.'));
  return `hash ${createHash('sha256').update(signed).digest('base64url')}`;
}
