import { afterEach, expect, test, vi } from 'vitest';
import { createProofIds } from '../../src/auth/binding/proof-ids.js';
import { passTime } from '../support/app-with-key-server.js';

afterEach(() => void vi.useRealTimers());

test('an id is new once within the window, and again after it', () => {
  const ids = createProofIds(90);
  expect([ids.isFirst('a', '1'), ids.isFirst('a', '1')]).toEqual([true, false]);
  passTime(89_000);
  expect(ids.isFirst('a', '1')).toBe(false);
  passTime(2_000);
  expect(ids.isFirst('a', '1')).toBe(true);
});

test('a key cannot use up the id of another key', () => {
  const ids = createProofIds(90);
  expect([ids.isFirst('a', '1'), ids.isFirst('b', '1'), ids.isFirst('a', '2')]).toEqual([true, true, true]);
});

test('one key fills its own share only, and what is remembered is never forgotten early', () => {
  const ids = createProofIds(90, { total: 10, each: 3 });
  for (const jti of ['1', '2', '3']) ids.isFirst('a', jti);
  expect(() => ids.isFirst('a', '4')).toThrow(expect.objectContaining({ code: 'proof_store_full', status: 503 }));
  expect(ids.isFirst('a', '1')).toBe(false);
  for (let i = 0; i < 7; i += 1) expect(ids.isFirst(`b${i}`, '1')).toBe(true);
  expect(() => ids.isFirst('c', '1')).toThrow(expect.objectContaining({ code: 'proof_store_full' }));
  passTime(91_000);
  expect(ids.isFirst('a', '4')).toBe(true);
});
