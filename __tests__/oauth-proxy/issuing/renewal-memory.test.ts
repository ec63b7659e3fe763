import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RenewalMemory } from '../../../src/oauth-proxy/issuing/renewal-memory.js';
import { memoryInUse } from '../../support/memory-in-use.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'Date', 'setTimeout'] });
  // The memory takes the time zero for no time.
  vi.advanceTimersByTime(1_000);
});
afterEach(() => void vi.useRealTimers());

const DAY_MS = 86_400_000;

const renewal = (accessToken = 'a') => ({
  used: 'r1',
  tokens: { accessToken, refreshToken: 'r2', accessTokenExpiresAt: undefined, idToken: undefined, granted: undefined },
});

test('keeps each renewal for its time, of 30 days too, and no longer', () => {
  const memory = new RenewalMemory();
  memory.set('short', renewal(), 600_000);
  memory.set('long', renewal(), 30 * DAY_MS);
  vi.advanceTimersByTime(599_000);
  expect(memory.get('short')).toEqual(renewal());
  vi.advanceTimersByTime(DAY_MS);
  expect([memory.size, memory.get('long')]).toEqual([1, renewal()]);
  vi.advanceTimersByTime(30 * DAY_MS);
  expect(memory.size).toBe(0);
});

test('a renewal that is kept again has its new time', () => {
  const memory = new RenewalMemory();
  memory.set('a', renewal(), 600_000);
  memory.set('a', renewal(), DAY_MS);
  vi.advanceTimersByTime(DAY_MS - 1_000);
  expect(memory.get('a')).toEqual(renewal());
});

test('has a bound for the length of all, and drops the oldest', () => {
  const memory = new RenewalMemory();
  for (let i = 0; i < 8; i++) memory.set(`${i}`, renewal('x'.repeat(5_000_000)), DAY_MS);
  expect([memory.size, memory.get('1'), memory.get('7')?.used]).toEqual([6, undefined, 'r1']);
});

test('its timer does not keep it alive, which a reload may have left behind', async () => {
  vi.useRealTimers();
  const memory = () => {
    const created = new RenewalMemory();
    created.set('a', renewal(), 600_000);
    return new WeakRef(created);
  };
  const left = memory();
  await memoryInUse();
  expect(left.deref()).toBeUndefined();
});
