import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createVerificationQueue, maxAtOnce } from '../../src/auth/keys/verification-queue.js';
import { createVerificationLimit } from '../../src/auth/token/verification-limit.js';

test.each([
  [1, 1],
  [2, 1],
  [4, 3],
  [16, 8],
])('with %i cores, %i signatures are checked at once while tokens fail', (cores, expected) => {
  expect(maxAtOnce(cores, true)).toBe(expected);
  expect(maxAtOnce(cores, false)).toBe(8);
});

const never = () => new Promise<boolean>(() => undefined);

/** Starts this many checks that do not end; returns how many run, and the codes of those that are refused. */
async function startMany(verify: ReturnType<typeof createVerificationQueue>, count: number) {
  let running = 0;
  const refused: string[] = [];
  for (let i = 0; i < count; i += 1) {
    const check = () => {
      running += 1;
      return never();
    };
    verify(check).catch(({ code }) => void refused.push(code));
  }
  await turnOfTheLoop();
  return { running, refused };
}

test.each([
  ['did not verify', async () => false],
  ['could not be parsed', () => Promise.reject(new Error('no signature'))],
])('after a signature that %s, fewer run at once, and 1,000 are pending at most', async (_what, fail) => {
  const verify = createVerificationQueue(4);
  await verify(fail).catch(() => undefined);
  expect(await startMany(verify, 1_002)).toEqual({ running: 3, refused: Array(2).fill('too_many_failed_tokens') });
});

test('without a signature that fails, and after one that verifies again, none is refused', async () => {
  const verify = createVerificationQueue(2);
  await verify(async () => false);
  await verify(async () => true);
  expect(await startMany(verify, 1_500)).toEqual({ running: 8, refused: [] });
});

test.each([
  [200, 200],
  [5_000, 1_000],
])('with a limit of %i a second, %i tokens wait, and all others are refused at once', async (limit, expected) => {
  const limited = createVerificationLimit(limit);
  let [started, refused] = [0, 0];
  const verify = () => {
    started += 1;
    return never();
  };
  const count = 3_000;
  const noteRefusal = (): void => {
    refused += 1;
  };
  for (let i = 0; i < count; i += 1) limited(verify).catch(noteRefusal);
  const startedAtOnce = started;
  await Promise.resolve();
  expect(count - startedAtOnce - refused).toBe(expected);
});
