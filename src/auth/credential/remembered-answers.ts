import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { createAllowance } from '../../core/allowance.js';
import { atMost } from '../../core/at-most.js';
import { type AuthInfo, expiryOf } from '../../core/auth-info.js';
import { AuthError, UpstreamError } from '../../core/errors.js';
import type { Withdrawal } from '../../core/token-validity.js';
import { sizeInMemory } from '../token/size-in-memory.js';
import type { CredentialKind, VerifiedToken } from '../token/token-cache.js';
import { givesAsMuch, grantOf } from './credential-grant.js';

/** A server or a function that is asked about credentials. */
export interface AnswerSource {
  readonly kind: Extract<CredentialKind, 'apiKey' | 'opaque'>;
  /** Resolves to `undefined` for a credential that is not accepted. Rejects with an AuthError or an UpstreamError. */
  readonly ask: (credential: string) => Promise<AuthInfo | undefined>;
  /** The refusal of a credential that is not accepted. */
  readonly refusal: Extract<Withdrawal, 'unknown_api_key' | 'inactive_token'>;
  readonly maxAgeSeconds: number;
  readonly maxBytes: number;
  readonly maxCallsPerSecond: number;
}

/** The limits of a function of the application. Those of introspection are options. */
export const FUNCTION_LIMITS = Object.freeze({ maxAgeSeconds: 60, maxBytes: 16_777_216, maxCallsPerSecond: 50 });

const REFUSED_MS = 10_000;
/** A token that is past its `exp`, but within the tolerance, is asked about at most once in this time. */
const MIN_AGE_MS = 1_000;
/** Refusals that are remembered. With their evidence, they take 20 megabytes at most. */
const MAX_REFUSALS = 10_000;
/** Characters of each string that a remembered refusal keeps for the log. */
const MAX_EVIDENCE_TEXT = 200;

/** All answers about one credential share it, so that a later answer reaches the streams that an earlier one opened. */
interface CredentialState {
  refusal: Withdrawal | undefined;
  /** The identity of the last answer. */
  latest: AuthInfo;
  /** On the clock of `performance.now()`. */
  askAgainAt: number;
}

interface Accepted {
  readonly verified: VerifiedToken;
  readonly state: CredentialState;
}

/**
 * Verifies credentials by asking a server or a function. It remembers the answers, and makes one call at a time for each credential.
 * Calls for credentials that were not accepted before are limited, because anyone can make credentials up.
 */
export class RememberedAnswers {
  readonly #source: AnswerSource;
  readonly #calls: ReturnType<typeof createAllowance>;
  // The keys are hashes: a long credential that someone made up takes no more memory. Refusals have a map of their own, so that they push out
  // no accepted credential.
  readonly #accepted: LRUCache<string, Accepted>;
  readonly #refused = new LRUCache<string, AuthError>({ ...atMost(MAX_REFUSALS), ttl: REFUSED_MS });
  readonly #pending = new Map<string, Promise<VerifiedToken>>();

  constructor(source: AnswerSource) {
    this.#source = source;
    this.#calls = createAllowance(source.maxCallsPerSecond, source.maxCallsPerSecond);
    this.#accepted = new LRUCache({
      maxSize: source.maxBytes,
      sizeCalculation: ({ verified }) => sizeInMemory(verified.auth),
    });
  }

  /** Rejects with an AuthError, or with an UpstreamError if the credential cannot be checked now. */
  verify(credential: string): Promise<VerifiedToken> {
    const hash = createHash('sha256').update(credential).digest('base64');
    const known = this.#accepted.get(hash);
    if (known?.verified.isCurrent()) return Promise.resolve(known.verified);
    const refusal = this.#refused.get(hash);
    if (refusal !== undefined) return Promise.reject(refusal);
    const shared = this.#pending.get(hash);
    if (shared !== undefined) return shared;
    if (known === undefined && !this.#calls.take()) {
      return Promise.reject(new UpstreamError('too_many_unknown_tokens', { retryAfterSeconds: 1 }));
    }
    const answer = this.#ask(credential, hash, known?.state).finally(() => this.#pending.delete(hash));
    this.#pending.set(hash, answer);
    return answer;
  }

  async #ask(credential: string, hash: string, before: CredentialState | undefined): Promise<VerifiedToken> {
    const { ask, refusal, maxAgeSeconds } = this.#source;
    try {
      const auth = await ask(credential);
      if (auth === undefined) throw new AuthError(refusal);
      const now = performance.now();
      const ageMs = Math.min(maxAgeSeconds * 1_000, Math.max(expiryOf(auth) - Date.now(), MIN_AGE_MS));
      const state = Object.assign(before ?? {}, { refusal: undefined, latest: auth, askAgainAt: now + ageMs });
      const verified = this.#verifiedFrom(auth, state, now + ageMs, Math.max(expiryOf(auth), Date.now() + MIN_AGE_MS));
      this.#accepted.set(hash, { verified, state });
      return verified;
    } catch (error) {
      if (error instanceof AuthError) {
        // Of an expired token, the server says the same as of a withdrawn one. A call that has begun goes on after the expiry.
        if (before !== undefined && Date.now() < expiryOf(before.latest)) before.refusal = refusal;
        this.#accepted.delete(hash);
        this.#refused.set(hash, withoutLongEvidence(error));
      }
      throw error;
    }
  }

  /**
   * @param until On the clock of `performance.now()`.
   * @param endsAt On the clock of `Date.now()`: the other clock stops while the machine sleeps.
   */
  #verifiedFrom(auth: AuthInfo, state: CredentialState, until: number, endsAt: number): VerifiedToken {
    const isLess = createComparison(auth);
    return {
      auth,
      kind: this.#source.kind,
      isCurrent: () => performance.now() < until && Date.now() < endsAt && state.refusal === undefined,
      withdrawal: () => {
        // An open stream sends no requests, so nothing else would ask about its credential again.
        const isDue = performance.now() >= state.askAgainAt && Date.now() < expiryOf(auth);
        if (state.refusal === undefined && isDue) this.#askAgain(auth, state);
        return state.refusal ?? (isLess(state.latest) ? this.#source.refusal : undefined);
      },
      jwt: undefined,
    };
  }

  #askAgain(auth: AuthInfo, state: CredentialState): void {
    state.askAgainAt = performance.now() + this.#source.maxAgeSeconds * 1_000;
    this.verify(auth.token).then(
      // The answer has a state of its own if this one was pushed out of the memory.
      (verified) => {
        state.latest = verified.auth;
      },
      (error: unknown) => {
        // An outage withdraws nothing. Nor does the expiry.
        if (error instanceof AuthError && Date.now() < expiryOf(auth)) state.refusal = this.#source.refusal;
      },
    );
  }
}

/** Returns a function that tells if a later answer gives less than `began`. It is called often, and answers seldom change. */
function createComparison(began: AuthInfo): (latest: AuthInfo) => boolean {
  let compared = began;
  let isLess = false;
  return (latest) => {
    if (latest !== compared) {
      compared = latest;
      isLess = latest !== began && !givesAsMuch(grantOf(latest), grantOf(began));
    }
    return isLess;
  };
}

/** Lists, objects and long strings of an answer would take memory for each token that is refused. */
function withoutLongEvidence({ code, evidence }: AuthError): AuthError {
  const isShort = (value: unknown) => typeof value === 'string' && value.length <= MAX_EVIDENCE_TEXT;
  return new AuthError(code, Object.fromEntries(Object.entries(evidence).filter(([, value]) => isShort(value))));
}
