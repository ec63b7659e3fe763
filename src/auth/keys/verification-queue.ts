import { availableParallelism } from 'node:os';
import { UpstreamError } from '../../core/errors.js';
import { createConcurrencyLimit } from './concurrency-limit.js';

/**
 * More at once would not be faster, since libuv's pool has four threads. Their callbacks would run together, and a request with a known token
 * would wait behind hundreds of them.
 */
const MAX_AT_ONCE = 8;
/** Signatures that run or wait while tokens fail. A second or two pass until the last of them is checked. */
const MAX_PENDING = 1_000;

/** Made once, since its stack trace would cost more than the rest of an answer. */
export const TOO_MANY_FAILED_TOKENS = new UpstreamError('too_many_failed_tokens', { retryAfterSeconds: 1 });

/**
 * Returns how many signatures are checked at once. While tokens fail, one core is left to the event loop if there are several. Otherwise it
 * competes with the threads of the pool for a core.
 */
export function maxAtOnce(cores: number, hasLastFailed: boolean): number {
  return hasLastFailed ? Math.min(MAX_AT_ONCE, Math.max(1, cores - 1)) : MAX_AT_ONCE;
}

/**
 * Creates the function that runs signature checks in turn. Each resolves to `false`, or rejects, if the signature does not verify.
 *
 * @returns A function that throws `too_many_failed_tokens` while tokens fail and {@link MAX_PENDING} others run or wait.
 */
export function createVerificationQueue(cores = availableParallelism()) {
  /** True if the last signature did not verify. It decides only how many are checked at once, and how many wait. */
  let hasLastFailed = false;
  let pending = 0;
  const runLimited = createConcurrencyLimit(() => maxAtOnce(cores, hasLastFailed));

  async function verifyAndNote(verify: () => Promise<boolean>): Promise<boolean> {
    let isGood = false;
    try {
      isGood = await verify();
      return isGood;
    } finally {
      // Within the turn, because the next one begins when it ends.
      hasLastFailed = !isGood;
    }
  }

  return async (verify: () => Promise<boolean>): Promise<boolean> => {
    if (hasLastFailed && pending >= MAX_PENDING) throw TOO_MANY_FAILED_TOKENS;
    pending += 1;
    try {
      return await runLimited(() => verifyAndNote(verify));
    } finally {
      pending -= 1;
    }
  };
}
