import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { several } from '../support/several-targets.js';
import { until } from '../support/until.js';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A session with a target `b` that worked once, was killed, and is broken since then. */
async function openBroken(how: 'silent' | 'answers') {
  const BROKEN = join(mkdtempSync(join(tmpdir(), 'broken-')), 'starts');
  const client = several({ a: {}, b: { BROKEN } }, { failureMode: 'failOpen' }).connect();
  await client.initialize();
  const pid = Number(await client.text('b_pid'));
  await pause(1_050);
  writeFileSync(BROKEN, how);
  process.kill(pid, 'SIGKILL');
  return { client, starts: () => readFileSync(BROKEN, 'utf8').length - how.length, mend: () => rmSync(BROKEN) };
}

test('a target that ends while it is opened again is missing: lists do not wait, and clients hear when it is back', async () => {
  const { client, starts, mend } = await openBroken('silent');
  const lists = async (): Promise<boolean> => {
    const { result } = await client.request('tools/list');
    return result.tools.some(({ name }: { name: string }) => name === 'b_echo');
  };
  await pause(7_000);
  expect(starts()).toBe(1);
  const since = performance.now();
  expect([await lists(), await lists()]).toEqual([false, false]);
  expect(performance.now() - since).toBeLessThan(1_000);
  mend();
  await until(lists);
  await client.hear('notifications/tools/list_changed');
});

test('a target that opens and ends again and again is started after longer and longer pauses', async () => {
  const { client, starts } = await openBroken('answers');
  await pause(9_000);
  expect(starts()).toBe(2);
  expect(await client.text('a_echo')).toBe('a {}');
});
