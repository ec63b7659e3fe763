import { expect, test } from 'vitest';
import { reasonOf } from '../support/mcp-answers.js';
import { postStateless, statelessCall, statelessText } from '../support/mcp-requests.js';
import { serveTargets } from '../support/several-backend.js';
import { several } from '../support/several-targets.js';
import { fixture, NODE } from '../support/stdio-bridge.js';

const plain = { command: NODE, args: [fixture('plain-target.mjs')] };
const ADA = { authorization: 'Bearer ada' };
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test.each([
  ['for longer than a request may wait', { waitMs: 200 }],
  ['and one request may wait', { maxWaiting: 1 }],
])('a target that does not read %s: others are called, and it gets the calls later', async (_when, limits) => {
  const client = several({ a: {}, b: {} }, limits).connect();
  await client.initialize();
  const pid = Number(await client.text('b_pid'));
  process.kill(pid, 'SIGSTOP');
  const big = 'x'.repeat(300_000);
  const calls = [1, 2, 3].map(() => client.start('tools/call', { name: 'b_echo', arguments: { big } }));
  expect(await client.text('a_echo')).toBe('a {}');
  // A promise that is rejected meanwhile and dropped would fail this run.
  await pause(500);
  expect(await client.text('a_echo')).toBe('a {}');
  process.kill(pid, 'SIGCONT');
  for (const id of calls) expect((await client.response(id)).result.content[0].text).toContain('xxx');
});

test('an environment that takes longer than a request may wait: the call gets 504, and the next one succeeds', async () => {
  let isSlow = false;
  const env = async (): Promise<Record<string, string>> => {
    if (isSlow) await pause(2_500);
    return { NAME: 'b' };
  };
  const { url } = await serveTargets({ targets: { a: plain, b: { ...plain, env } }, requestTimeoutSeconds: 1 });
  const pid = Number(await statelessText(url, 'b_pid', {}, ADA));
  await pause(1_050);
  isSlow = true;
  process.kill(pid, 'SIGKILL');
  await pause(300);
  const late = await postStateless(url, statelessCall(1, 'b_echo'), ADA);
  expect(await reasonOf(late)).toBe('request_timed_out');
  expect(await statelessText(url, 'a_echo', {}, ADA)).toBe('plain {}');
  await pause(2_000);
  expect(await statelessText(url, 'b_echo', {}, ADA)).toBe('b {}');
});
