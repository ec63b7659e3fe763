import { UpstreamError } from '../../core/errors.js';
import { ignoreRejection } from '../../core/ignore-rejection.js';
import { asError } from '../../http/middleware.js';
import type { Jwks } from '../../policy/auth-options.js';
import { parseJwks } from '../../policy/jwks-source.js';
import type { KeySet, KeySetContext } from './key-set.js';
import { createSkippedKeysReport } from './skipped-keys.js';
import { createUsableKeys, findIn, type UsableKeys } from './usable-keys.js';

/** How often the function is called for open streams and the like, which bring no request; in all, however many there are. */
const LOOK_EVERY_MS = 500;

/** The keys of one key set object. */
interface Reading {
  readonly number: number;
  readonly jwks: Jwks;
  /** Empty if the set was unusable: the function returned it on purpose, so the earlier keys are dropped. */
  readonly ring: UsableKeys;
  readonly filled: Promise<void>;
}

/** Keys of the application, which it may change: another object returned is another key set. */
export function createLiveKeySet(read: () => Jwks, context: KeySetContext): KeySet {
  const report = createSkippedKeysReport(context);
  let reading: Reading | undefined;
  /** The newest one whose keys are all known: reading takes a moment. */
  let known: Reading | undefined;
  let lookedAt = Number.NEGATIVE_INFINITY;

  async function fill(ring: UsableKeys, jwks: Jwks): Promise<void> {
    try {
      await ring.fill(parseJwks(jwks));
    } catch (error) {
      ignoreRejection(jwks);
      context.logger.error(`key set of ${context.issuer}: ${asError(error, 'its function').message}`);
    }
  }

  function readNow(): Reading {
    const jwks = read();
    if (reading?.jwks !== jwks) {
      const ring = createUsableKeys(context, report);
      const newest: Reading = {
        number: (reading?.number ?? 0) + 1,
        jwks,
        ring,
        filled: fill(ring, jwks).then(() => {
          if (newest.number > (known?.number ?? 0)) known = newest;
        }),
      };
      reading = newest;
    }
    return reading;
  }

  function look(): void {
    if (performance.now() - lookedAt < LOOK_EVERY_MS) return;
    lookedAt = performance.now();
    try {
      readNow();
    } catch {
      // An error withdraws no key; find() reports it.
    }
  }

  return {
    async find(kid, alg, failedKey) {
      let now: Reading;
      try {
        now = readNow();
      } catch (cause) {
        throw new UpstreamError('key_set_unavailable', { cause });
      }
      await now.filled;
      return findIn(now.ring, kid, alg, failedKey);
    },
    has(key) {
      try {
        return readNow().ring.has(key);
      } catch {
        // It is unknown if the key is still good: find() is called next, and reports it.
        return false;
      }
    },
    hasWithdrawn(key) {
      look();
      return known !== undefined && !known.ring.includes(key);
    },
  };
}
