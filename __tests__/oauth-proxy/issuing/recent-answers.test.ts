import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createRecentAnswers } from '../../../src/oauth-proxy/issuing/recent-answers.js';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance', 'Date', 'setTimeout'] }));
afterEach(() => void vi.useRealTimers());

const KEEP_MS = 60_000;

test('answers, which contain tokens, leave memory soon after their time, without another refresh', () => {
  const answers = createRecentAnswers(KEEP_MS);
  for (let i = 0; i < 100; i++) answers.add(`login ${i}`, 0, '{}');
  vi.advanceTimersByTime(KEEP_MS / 2);
  answers.add('login 0', 1, 'newer');
  vi.advanceTimersByTime(KEEP_MS / 2);
  expect(answers.size).toBe(1);
  expect([answers.find('login 0', 0), answers.find('login 0', 1)]).toEqual([undefined, 'newer']);
  vi.advanceTimersByTime(KEEP_MS);
  expect(answers.size).toBe(0);
  answers.add('login 0', 2, 'again');
  vi.advanceTimersByTime(KEEP_MS);
  expect(answers.size).toBe(0);
});

test('of each login, the last three answers are kept', () => {
  const answers = createRecentAnswers(KEEP_MS);
  for (let i = 0; i < 5; i++) answers.add('login', i, `${i}`);
  expect([1, 2, 3, 4].map((generation) => answers.find('login', generation))).toEqual([undefined, '2', '3', '4']);
});
