import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createConcurrencyLimit } from '../../src/auth/keys/concurrency-limit.js';

/** Starts `count` pieces of work, each of which ends when its number is called. */
function startWork(count: number, max: number | (() => number)) {
  const runLimited = createConcurrencyLimit(typeof max === 'number' ? () => max : max);
  const started: number[] = [];
  const ends: ((error?: Error) => void)[] = [];
  const results = Array.from({ length: count }, (_, i) =>
    runLimited(() => {
      started.push(i);
      return new Promise<number>((resolve, reject) => {
        ends[i] = (error) => (error ? reject(error) : resolve(i));
      });
    }),
  );
  return { started, end: (i: number, error?: Error) => ends[i]?.(error), results };
}

test('no more than the maximum run at once, in the order in which they came', async () => {
  const { started, end, results } = startWork(5, 2);
  await turnOfTheLoop();
  expect(started).toEqual([0, 1]);
  end(1);
  await turnOfTheLoop();
  expect(started).toEqual([0, 1, 2]);
  for (const i of [0, 2, 3]) end(i);
  await turnOfTheLoop();
  end(3);
  end(4);
  await turnOfTheLoop();
  end(4);
  expect(await Promise.all(results)).toEqual([0, 1, 2, 3, 4]);
});

test('work that fails passes its turn on', async () => {
  const { end, results, started } = startWork(2, 1);
  const first = expect(results[0]).rejects.toThrow('no');
  end(0, new Error('no'));
  await first;
  await turnOfTheLoop();
  expect(started).toEqual([0, 1]);
  end(1);
  expect(await results[1]).toBe(1);
});

test('when the maximum falls, no work begins until enough has ended; when it grows, more begins at the next end', async () => {
  let max = 2;
  const { started, end, results } = startWork(6, () => max);
  max = 1;
  end(0);
  await turnOfTheLoop();
  expect(started).toEqual([0, 1]);
  end(1);
  await turnOfTheLoop();
  expect(started).toEqual([0, 1, 2]);
  max = 3;
  end(2);
  await turnOfTheLoop();
  expect(started).toEqual([0, 1, 2, 3, 4, 5]);
  for (const i of [3, 4, 5]) end(i);
  expect(await Promise.all(results)).toEqual([0, 1, 2, 3, 4, 5]);
});

test('a later caller does not overtake those who wait, even after the maximum has grown', async () => {
  let max = 1;
  const runLimited = createConcurrencyLimit(() => max);
  const started: number[] = [];
  let end = (): void => undefined;
  const first = runLimited(() => {
    started.push(0);
    return new Promise<void>((resolve) => {
      end = resolve;
    });
  });
  const second = runLimited(async () => void started.push(1));
  max = 2;
  const third = runLimited(async () => void started.push(2));
  await turnOfTheLoop();
  end();
  await Promise.all([first, second, third]);
  expect(started).toEqual([0, 1, 2]);
});
