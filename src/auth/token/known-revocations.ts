import { createHash } from 'node:crypto';
import type { AuthInfo } from '../../core/auth-info.js';
import { credentialFormOf } from '../../oauth/credential-form.js';
import { isCompactJwt } from './compact-jwt.js';
import { RevokedUsers, type UserRevocation } from './revoked-users.js';

/** A revocation that other processes can apply too. */
export type Revocation = TokenRevocation | UserRevocation;

/** A revocation of one token, as it is stored. */
export interface TokenRevocation {
  /** A hash, from which the token cannot be made: of header and payload of a JWT, of all other tokens as a whole. */
  readonly token: string;
  /** Milliseconds since 1970; null for a token that does not expire. */
  readonly expiry: number | null;
}

interface RevokedToken {
  /** Milliseconds since 1970. */
  readonly expiry: number;
  /** The same on the clock of `performance.now()`. Both must pass: a date that was wrong for a while must not bring the token back. */
  readonly keptUntil: number;
}

/** About 150 MB. To drop a revocation before its token has expired would let the token in. */
const MAX_TOKENS = 1_000_000;

/** Minimum time between two sweeps of all tokens. */
const SWEEP_EVERY_MS = 1_000;

/** The revoked tokens, users, clients and issuers that a policy knows, or several policies that share them. */
export class KnownRevocations {
  /** The key is a hash, so that all entries have the same size. */
  readonly #tokens = new Map<string, RevokedToken>();
  readonly #users = new RevokedUsers();
  #sweptAt = Number.NEGATIVE_INFINITY;

  /** @throws {RangeError} If there are too many. */
  apply(revocation: Revocation): void {
    if ('token' in revocation) this.#addToken(revocation);
    else this.#users.add(revocation);
  }

  /** @param clockToleranceSeconds That of the policy that asks. */
  includes(auth: AuthInfo, clockToleranceSeconds: number): boolean {
    if (this.#tokens.size > 0 && hashesOf(auth).some((hash) => this.#tokens.has(hash))) return true;
    return this.#users.includes(auth, clockToleranceSeconds);
  }

  #addToken({ token, expiry: given }: TokenRevocation): void {
    const now = Date.now();
    const elapsed = performance.now();
    // A store may return many revocations at once. A sweep for each of them would take too long.
    if (elapsed - this.#sweptAt >= SWEEP_EVERY_MS) {
      this.#sweptAt = elapsed;
      for (const [signed, { expiry, keptUntil }] of this.#tokens) {
        if (expiry < now && keptUntil < elapsed) this.#tokens.delete(signed);
      }
    }
    if (this.#tokens.size >= MAX_TOKENS && !this.#tokens.has(token))
      throw new RangeError(`more than ${MAX_TOKENS} tokens are revoked`);
    const expiry = given ?? Number.POSITIVE_INFINITY;
    this.#tokens.set(token, { expiry, keptUntil: elapsed + expiry - now });
  }
}

const knownByOptions = new WeakMap<object, KnownRevocations>();

/**
 * Lets the `mcpAuth()` of these options share what it knows with the others that get the same object. A policy that replaces another one
 * then refuses the same tokens, whether there is a store or not.
 */
export function shareRevocations(options: object, known: KnownRevocations): void {
  knownByOptions.set(options, known);
}

/** Returns those that the `mcpAuth()` of these options shares; undefined if it has its own. */
export function revocationsFor(options: object): KnownRevocations | undefined {
  return knownByOptions.get(options);
}

/** The hash of a JWT leaves out the signature: anyone can make a second valid ECDSA signature for the same header and payload. */
export function hashOfJwt(token: string): string {
  return hashOf(token.slice(0, token.lastIndexOf('.')));
}

/** Of a token that is not a JWT, and of an API key, every character counts: those of other users may begin alike. */
export function hashOfOther(token: string): string {
  return hashOf(token);
}

/** With a prefix that no token has, so that it is the hash of none. */
export function hashOfLogin(login: string): string {
  return hashOf(`login ${login}`);
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

/** The hashes under which a revocation of this token may be kept: its own, and that of its login if this server issued it. */
function hashesOf({ token, header, payload: { sid } }: AuthInfo): readonly string[] {
  // Only a JWT has members in its header.
  if (header.alg !== undefined) return [hashOfJwt(token)];
  const form = token === '' ? 'issued' : credentialFormOf(token);
  const own = hashOfOther(token);
  if (form === 'issued' && typeof sid === 'string') return [own, hashOfLogin(sid)];
  // An API key can be a JWT. A policy that asks a function for keys cannot know that, and revokes the key as a JWT.
  return form === 'jwt' && isCompactJwt(token) ? [own, hashOfJwt(token)] : [own];
}
