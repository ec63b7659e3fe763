/**
 * Creates the function that runs `work` while fewer than `max()` run; the others wait in the order in which they came.
 *
 * @param max How many may run at once, at least 1: with 0, the queue would stop. A smaller number stops no work that runs, and a
 * larger one is used when the next work ends.
 */
export function createConcurrencyLimit(max: () => number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;

  /** Starts those who have waited longest. Their turns are taken here and not when they resume, so no later caller overtakes them. */
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
