import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readBatch } from '../../src/messages/read-batch.js';
import { call, callText, type Headers, open, post, postStateless, statelessCall } from '../support/mcp-requests.js';
import { serveTargets } from '../support/several-backend.js';
import { NODE, SCRIPTED, type Served, serve } from '../support/stdio-bridge.js';

const ANSWER = '{"jsonrpc":"2.0","id":ID,"result":{"n":18446744073709551615}}';
const LOG = '{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"x"}}';
const OTHER = '{"jsonrpc":"2.0","id":"unknown","result":{}}';

let served: Served;
let session: Headers;
beforeAll(async () => {
  served = await serve({ env: { STATELESS: '1' }, maxMessageBytes: 10_000_000, maxSessions: 50 });
  session = await open(served.url, {}, '2025-03-26');
});
afterAll(() => served.stop());

const print = async (line: string) =>
  (await post(served.url, call('me', 'print', { line: `${line}\n` }), session)).text();

describe('a batch of a program', () => {
  test.each([
    ['alone', `[${ANSWER}]`],
    ['before another message', ` [ ${ANSWER} ,${OTHER}]\t`],
    ['after another message', `[${OTHER},${ANSWER}]`],
    ['after something else', `[{"level":30},${ANSWER}]`],
    ['after 999 messages', `[${Array.from({ length: 999 }, () => OTHER)},${ANSWER}]`],
  ])('answers its call, byte for byte: %s', async (_where, line) => {
    expect(await print(line)).toBe(ANSWER.replace('ID', '"me"'));
  });

  test('is read message by message', async () => {
    const data = (await print(`[${LOG},${ANSWER}]`)).match(/(?<=^data: ).+/gm);
    expect(data).toEqual([LOG, ANSWER.replace('ID', '"me"')]);
  });

  test.each([
    ['with more text behind it', `[${ANSWER}] [debug] sent`],
    ['without an end', `[${ANSWER}`],
    ['with NaN in the answer', '[{"jsonrpc":"2.0","id":ID,"result":{"n":NaN}}]'],
    ['with NaN in another message', `[${OTHER},${ANSWER},{"jsonrpc":"2.0","id":9,"result":NaN}]`],
    ['of 1,001 messages', `[${Array.from({ length: 1_000 }, () => OTHER)},${ANSWER}]`],
  ])('%s fails its call', async (_what, line) => {
    expect(JSON.parse(await print(line))).toMatchObject({ id: 'me', error: { data: { reason: 'unreadable_answer' } } });
  });

  test('answers without a session too', async () => {
    const response = await postStateless(served.url, statelessCall('me', 'print', { line: `[${ANSWER}]\n` }));
    expect(await response.json()).toMatchObject({ id: 'me', result: {} });
  });

  test('over the limit fails its call', async () => {
    const small = await serve({ maxMessageBytes: 10_000 });
    const line = `[${ANSWER.replace('{"n"', `{"text":"${'x'.repeat(20_000)}","n"`)}]\n`;
    const response = await post(small.url, call('me', 'print', { line }), await open(small.url));
    expect(await response.json()).toMatchObject({ id: 'me', error: { data: { reason: 'message_too_large' } } });
    await small.stop();
  });

  test('may have the answer to initialize', async () => {
    const PRINT_AT_START = '[{"jsonrpc":"2.0","id":ID,"result":RESULT}]\n';
    const opened = await serve({ env: { PRINT_AT_START } });
    expect(await callText(opened.url, await open(opened.url), 'echo')).toBe('{}');
    await opened.stop();
  });

  test('of one of several targets answers its call', async () => {
    const target = { command: NODE, args: [SCRIPTED] };
    const { url } = await serveTargets({ targets: { a: target, b: target } });
    const asked = call('me', 'a_print', { line: `[${LOG},${ANSWER}]\n` });
    const response = await post(url, asked, await open(url, {}, '2025-03-26'));
    expect(await response.text()).toContain('"id":"me","result"');
  });
});

test('16 MiB of tiny members take little time and memory', () => {
  const line = Buffer.from(`[${'{},'.repeat(5_500_000)}{}]`);
  const since = performance.now();
  const before = process.memoryUsage().heapUsed;
  expect(readBatch(line)).toBeUndefined();
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(20_000_000);
  expect(performance.now() - since).toBeLessThan(1_000);
});
