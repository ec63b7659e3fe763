import type { Logger } from '../../core/logger.js';
import type { VerificationKey } from './verification-key.js';

/** A moment in the life of a key set. */
export interface KeySetMoment {
  /** Changes whenever the keys change. */
  readonly revision: number;
  /** On the clock of `performance.now()`. */
  readonly at: number;
}

/** The members of a token that select its key. */
export interface WantedKey {
  readonly kid: string | undefined;
  readonly alg: string;
  /** The token's `iss`, if its issuer has many tenants: then a key that names its own issuer must name this one. */
  readonly issuer?: string;
  /** The token's `tid`, which replaces `{tenantid}` in the issuer of a key. */
  readonly tenant?: unknown;
}

/** The keys of one issuer, wherever they come from. */
export interface KeySet {
  /**
   * Finds the key for a token by `kid`, or by algorithm if the token has none. Pass `failedKey`, a key whose signature check
   * failed, to look for a replacement; a remote set then fetches once more.
   *
   * @throws {AuthError} `unknown_key`, `unsupported_algorithm`.
   * @throws {UpstreamError} `key_set_unavailable` if the keys cannot be read: the token may be good.
   */
  find(wanted: WantedKey, failedKey?: VerificationKey): Promise<VerificationKey>;
  /** True if there are keys to verify tokens with; a remote set is fetched first if need be. */
  isReady(): Promise<boolean>;
  /** Milliseconds since the keys were fetched; undefined for keys that are not fetched, or not yet. */
  ageMs?(): number | undefined;
  /** True if a key that was found before may still be used. Called for every request, so it must be cheap. */
  has(key: VerificationKey): boolean;
  /** True if the newest key set does not contain this key. An outage withdraws no key, so `has()` can be false at the same time. */
  hasWithdrawn(key: VerificationKey): boolean;
  /** The present moment, for {@link isUnchangedSince}. */
  now(): KeySetMoment;
  /**
   * True if a signature that no key verified at that moment fails now too: the keys are the same, and a remote set has been fetched since
   * then, or would not be fetched again for such a signature now.
   */
  isUnchangedSince(moment: KeySetMoment): boolean;
}

/** The settings of a key set besides its source. */
export interface KeySetContext {
  /** For log lines. */
  readonly issuer: string;
  readonly staleIfErrorSeconds: number;
  readonly logger: Logger;
}
