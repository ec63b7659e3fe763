import { UpstreamError } from '../../core/errors.js';
import { createFailureLine } from '../../core/failure-line.js';
import { ignoreRejection } from '../../core/ignore-rejection.js';
import { asError } from '../../http/middleware.js';
import type { Jwks } from '../../policy/issuer-options.js';
import { parseJwks } from '../../policy/jwks-source.js';
import type { KeySet, KeySetContext } from './key-set.js';
import { createSkippedKeysReport } from './skipped-keys.js';
import { createUsableKeys, findIn, type UsableKeys } from './usable-keys.js';

/** Minimum time between two calls of the function for open streams, which send no requests; for all streams together. */
const CHECK_EVERY_MS = 500;

/** One key set object that the function returned, with its keys. */
interface Version {
  readonly number: number;
  readonly jwks: Jwks;
  /** Empty if the set was unusable: the function returned it on purpose, so the earlier keys are dropped. */
  readonly keys: UsableKeys;
  readonly filled: Promise<void>;
}

/** The keys that a function of the application returns. When it returns another object, the keys are read again. */
export function createLiveKeySet(read: () => Jwks, context: KeySetContext): KeySet {
  const report = createSkippedKeysReport(context);
  const readJwks = withFailureLine(read, context);
  let latest: Version | undefined;
  /** The newest version whose keys have been read, which takes a moment. */
  let newestRead: Version | undefined;
  let checkedAt = Number.NEGATIVE_INFINITY;

  async function fill(keys: UsableKeys, jwks: Jwks): Promise<void> {
    try {
      await keys.fill(parseJwks(jwks));
    } catch (error) {
      ignoreRejection(jwks);
      context.logger.error(`key set of ${context.issuer}: ${asError(error, 'its function').message}`);
    }
  }

  function readNow(): Version {
    const jwks = readJwks();
    if (latest?.jwks !== jwks) {
      const keys = createUsableKeys(context, report);
      const newest: Version = {
        number: (latest?.number ?? 0) + 1,
        jwks,
        keys,
        filled: fill(keys, jwks).then(() => {
          if (newest.number > (newestRead?.number ?? 0)) newestRead = newest;
        }),
      };
      latest = newest;
    }
    return latest;
  }

  /** Undefined if the function throws: then nothing is known about the keys, and find() reports the error. */
  function tryToRead(): Version | undefined {
    try {
      return readNow();
    } catch {
      return undefined;
    }
  }

  function checkForChange(): void {
    if (performance.now() - checkedAt < CHECK_EVERY_MS) return;
    checkedAt = performance.now();
    // An error withdraws no key.
    tryToRead();
  }

  const revision = (): number => tryToRead()?.number ?? Number.NaN;

  return {
    async find(wanted, failedKey) {
      let version: Version;
      try {
        version = readNow();
      } catch (cause) {
        throw new UpstreamError('key_set_unavailable', { cause });
      }
      await version.filled;
      return findIn(version.keys, wanted, failedKey);
    },
    async isReady() {
      const version = tryToRead();
      await version?.filled;
      return (version?.keys.size ?? 0) > 0;
    },
    // After an error the key may have been withdrawn, so it is not used.
    has: (key) => tryToRead()?.keys.has(key) ?? false,
    hasWithdrawn(key) {
      checkForChange();
      return newestRead !== undefined && !newestRead.keys.includes(key);
    },
    now: () => ({ revision: revision(), at: performance.now() }),
    isUnchangedSince: (moment) => moment.revision === revision(),
  };
}

/** Logs the errors of the function: an outage for all users must have its reason in the log. */
function withFailureLine(read: () => Jwks, { issuer, logger }: KeySetContext): () => Jwks {
  const logFailure = createFailureLine('jwks()', `key set of ${issuer}: its function failed`, logger);
  return () => {
    try {
      return read();
    } catch (thrown) {
      logFailure(thrown);
      throw thrown;
    }
  };
}
