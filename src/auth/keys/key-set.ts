import type { Logger } from '../../core/logger.js';
import type { VerificationKey } from './verification-key.js';

/** The keys of one issuer, wherever they come from. */
export interface KeySet {
  /**
   * The key that a token names, or means without a name. `refuted` is one found before, which did not make its signature:
   * a set that is fetched then looks for another, as for a key not seen before.
   *
   * @throws {AuthError} `unknown_key`, `unsupported_algorithm`.
   * @throws {UpstreamError} `key_set_unavailable` where the keys cannot be read, so that nothing can be said of the token.
   */
  find(kid: string | undefined, alg: string, failedKey?: VerificationKey): Promise<VerificationKey>;
  /** True if a key that was found before may still be relied on. Asked for every request, so it must cost nothing. */
  has(key: VerificationKey): boolean;
  /** True if the newest keys are without this one. An outage withdraws no key, so this may be false where `holds()` is too. */
  hasWithdrawn(key: VerificationKey): boolean;
}

/** What a key set is told beside its source. */
export interface KeySetContext {
  /** For log lines. */
  readonly issuer: string;
  readonly staleIfErrorSeconds: number;
  readonly logger: Logger;
}
