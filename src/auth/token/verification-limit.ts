import { createAllowance } from '../../core/allowance.js';
import { AuthError } from '../../core/errors.js';
import { TOO_MANY_FAILED_TOKENS } from '../keys/verification-queue.js';

/**
 * The most verifications that wait, in one policy. No more wait than the limit allows in a second, so that none waits longer than that. The
 * rest get 503 at once. Forgers who wait for their answers on fewer connections than this are slowed down, and good tokens pass. Others can
 * fill the queue: then most new good tokens get 503 too.
 */
const MAX_WAITING = 1_000;
/** The failures of this many seconds may come at once. A shorter burst delays other requests less. */
const BURST_SECONDS = 0.1;

/** Runs a verification when the limit allows it. */
export type LimitVerification = <T>(verify: () => Promise<T>) => Promise<T>;

/**
 * Creates the limit on failed verifications. A verification counts from its start until it succeeds, since its outcome is not known before.
 * Over the limit it waits. If {@link MAX_WAITING} others wait already, or as many as the limit allows in a second, it is refused as an
 * outage (503), since the token may be good.
 *
 * @param maxPerSecond Undefined for no limit.
 */
export function createVerificationLimit(maxPerSecond: number | undefined): LimitVerification {
  if (maxPerSecond === undefined) return (verify) => verify();
  const allowance = createAllowance(maxPerSecond, Math.max(1, maxPerSecond * BURST_SECONDS));
  const maxWaiting = Math.min(MAX_WAITING, maxPerSecond);
  const waiting: (() => void)[] = [];
  let timer: NodeJS.Timeout | undefined;

  function startWaiting(): void {
    clearTimeout(timer);
    timer = undefined;
    while (waiting.length > 0 && allowance.take()) waiting.shift()?.();
    if (waiting.length > 0) timer = setTimeout(startWaiting, allowance.msToNext());
  }

  function waitForTurn(): Promise<void> {
    const turn = new Promise<void>((resolve) => void waiting.push(resolve));
    timer ??= setTimeout(startWaiting, allowance.msToNext());
    return turn;
  }

  function giveBack(): void {
    allowance.giveBack();
    if (waiting.length > 0) startWaiting();
  }

  async function run<T>(verify: () => Promise<T>): Promise<T> {
    try {
      const result = await verify();
      giveBack();
      return result;
    } catch (error) {
      if (!(error instanceof AuthError)) giveBack();
      throw error;
    }
  }

  return (verify) => {
    if (waiting.length === 0 && allowance.take()) return run(verify);
    // Not thrown: each function that an error passes through costs some microseconds, and thousands a second may be refused.
    if (waiting.length >= maxWaiting) return Promise.reject(TOO_MANY_FAILED_TOKENS);
    return waitForTurn().then(() => run(verify));
  };
}
