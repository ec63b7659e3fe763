/**
 * Creates the function that runs `work`, at most `max` at once; the others wait in the order in which they came.
 *
 * @param max How many run at once.
 */
export function createTurns(max: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;

  return async (work) => {
    if (running >= max) await new Promise<void>((resolve) => void waiting.push(resolve));
    else running += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      // The first in the queue takes over the turn, so that no later caller overtakes it.
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
