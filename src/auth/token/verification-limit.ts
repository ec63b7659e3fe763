import { AuthError, UpstreamError } from '../../core/errors.js';

/** Verifications that wait for their turn, at most a second. Beyond it, callers get 503 at once. */
const MAX_WAITING = 100;
/** The seconds whose failures may come at once. A shorter burst delays other requests less. */
const BURST_SECONDS = 0.1;

/** Made once, since its stack trace would cost more than the rest of an answer. */
const TOO_MANY = new UpstreamError('too_many_failed_tokens', { retryAfterSeconds: 1 });

/** Runs a verification when the limit allows it. */
export type LimitVerification = <T>(verify: () => Promise<T>) => Promise<T>;

/**
 * Creates the limit on failed verifications. Each one that starts counts until it succeeds, since its outcome is not known before. Beyond
 * the limit a verification waits, and beyond {@link MAX_WAITING} it is not made: the token may be good, so this is an outage (503).
 *
 * @param maxPerSecond Undefined for no limit.
 */
export function createVerificationLimit(maxPerSecond: number | undefined): LimitVerification {
  if (maxPerSecond === undefined) return (verify) => verify();
  const allowance = createAllowance(maxPerSecond);
  const maxWaiting = Math.min(MAX_WAITING, maxPerSecond);
  const waiting: (() => void)[] = [];
  let timer: NodeJS.Timeout | undefined;

  function startWaiting(): void {
    clearTimeout(timer);
    timer = undefined;
    while (waiting.length > 0 && allowance.take()) waiting.shift()?.();
    if (waiting.length > 0) timer = setTimeout(startWaiting, allowance.msToNext());
  }

  async function takeTurn(): Promise<void> {
    if (waiting.length === 0 && allowance.take()) return;
    if (waiting.length >= maxWaiting) throw TOO_MANY;
    const turn = new Promise<void>((resolve) => void waiting.push(resolve));
    timer ??= setTimeout(startWaiting, allowance.msToNext());
    return turn;
  }

  function giveBack(): void {
    allowance.giveBack();
    if (waiting.length > 0) startWaiting();
  }

  return async (verify) => {
    await takeTurn();
    try {
      const result = await verify();
      giveBack();
      return result;
    } catch (error) {
      if (!(error instanceof AuthError)) giveBack();
      throw error;
    }
  };
}

/** A number that grows by `perSecond` each second up to a maximum, and from which each start takes one. */
function createAllowance(perSecond: number) {
  const max = Math.max(1, perSecond * BURST_SECONDS);
  let left = max;
  let countedAt = performance.now();

  function count(): void {
    const now = performance.now();
    left = Math.min(max, left + ((now - countedAt) * perSecond) / 1000);
    countedAt = now;
  }

  return {
    take(): boolean {
      count();
      if (left < 1) return false;
      left -= 1;
      return true;
    },
    giveBack(): void {
      left = Math.min(max, left + 1);
    },
    /** Milliseconds until one can be taken. */
    msToNext: (): number => Math.max(1, Math.ceil(((1 - left) * 1000) / perSecond)),
  };
}
