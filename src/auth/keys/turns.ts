/**
 * Creates the function that runs `work`, at most `max()` at once; the others wait in the order in which they came.
 *
 * @param max How many run at once. Asked again whenever work begins or ends.
 */
export function createTurns(max: () => number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;

  /** Gives the free turns to the first in the queue, so that no later caller overtakes them. */
  function startWaiting(): void {
    while (waiting.length > 0 && running < max()) {
      running += 1;
      waiting.shift()?.();
    }
  }

  return async (work) => {
    if (waiting.length > 0 || running >= max()) await new Promise<void>((resolve) => void waiting.push(resolve));
    else running += 1;
    try {
      return await work();
    } finally {
      running -= 1;
      startWaiting();
    }
  };
}
