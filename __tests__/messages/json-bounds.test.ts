import express from 'express';
import { describe, expect, test } from 'vitest';
import type { Middleware } from '../../src/index.js';
import { countMembers } from '../../src/messages/json-bounds.js';
import { initialize, JSON_HEADERS, open, post } from '../support/mcp-requests.js';
import { claims, createProtectedApp } from '../support/protected-app.js';
import { createScopedApp } from '../support/scoped-app.js';
import { createSigner } from '../support/signer.js';
import { serve } from '../support/stdio-bridge.js';

const nested = (levels: number, [open, close] = ['[', ']']) => open.repeat(levels) + close.repeat(levels);
const note = '{"jsonrpc":"2.0","method":"notifications/x"}';
const batch = (count: number) => `[${Array(count).fill(note).join(',')}]`;
const withArguments = (value: string) =>
  `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"a":${value}}}}`;

const RULES = { 'tools/call': { delete_file: ['files:write'] } };
const MIB = 2 ** 20;
/** `withArguments()` adds three levels. */
const rows: [what: string, body: string, status: number, reason: string | undefined][] = [
  ['64 levels', withArguments(nested(61)), 200, undefined],
  ['65 levels', withArguments(nested(62)), 400, 'too_deep'],
  ['64 levels of objects', withArguments(`${'{"a":'.repeat(60)}{}${'}'.repeat(60)}`), 200, undefined],
  ['65 levels of objects', withArguments(`${'{"a":'.repeat(61)}{}${'}'.repeat(61)}`), 400, 'too_deep'],
  ['65 levels in a string, which do not count', withArguments(JSON.stringify(nested(65))), 200, undefined],
  ['many values at one level', withArguments(`[${'[],'.repeat(5_000)}[]]`), 200, undefined],
  ['4 MiB of brackets', nested(2 * MIB), 400, 'too_deep'],
  ['4 MiB of opening brackets', '['.repeat(4 * MIB), 400, 'too_deep'],
  ['4 MiB of objects', '{"a":'.repeat(0.8 * MIB), 400, 'too_deep'],
  ['4 MiB of closing brackets', ']'.repeat(4 * MIB), 400, 'malformed_json'],
  ['4 MiB of quotes', '"'.repeat(4 * MIB), 400, 'malformed_json'],
  ['4 MiB of escaped quotes', `"${'\\"'.repeat(2 * MIB - 8)}`, 400, 'malformed_json'],
  ['4 MiB of backslashes', `"${'\\'.repeat(4 * MIB - 8)}"`, 400, 'not_json_rpc'],
  ['4 MiB of colons', ':'.repeat(4 * MIB), 400, 'malformed_json'],
  ['4 MiB of white space', ' '.repeat(4 * MIB), 400, 'malformed_json'],
  ['1,001 messages', batch(1_001), 413, 'too_many_messages'],
  ['90,000 notifications', batch(90_000), 413, 'too_many_messages'],
  ['2 Mi of nothing', `[${'1,'.repeat(2 * MIB - 2)}1]`, 413, 'too_many_messages'],
];

/** Milliseconds of CPU time that a body of 4 MiB may cost, sending included. Without bounds it was seconds. */
const MAX_WORK_MS = 1_000;

async function workOf<T>(task: () => Promise<T>): Promise<[result: T, workMs: number]> {
  const began = process.cpuUsage();
  const result = await task();
  return [result, process.cpuUsage(began).user / 1_000];
}

describe('mcpScopes()', () => {
  test.each(rows)('%s', async (_what, body, status, reason) => {
    const { post, received } = createScopedApp(RULES, { options: { maxBodyBytes: 5 * MIB } });
    const [response, workMs] = await workOf(async () => post(body));
    expect([response.status, response.body.error?.data.reason]).toEqual([status, reason]);
    expect(received.length).toBe(status === 200 ? 1 : 0);
    if (reason !== undefined) expect(workMs).toBeLessThan(MAX_WORK_MS);
  });

  test('1,000 messages pass, and 1,001 that a parser has read do not', async () => {
    expect((await createScopedApp(RULES).post(batch(1_000))).status).toBe(200);
    const parser = express.json({ limit: '5mb' }) as Middleware;
    const response = await createScopedApp(RULES, { before: [parser] }).post(batch(1_001));
    expect([response.status, response.body.error.data]).toEqual([413, { reason: 'too_many_messages' }]);
  });
});

describe('mcpStdioBackend()', () => {
  test.each(rows)('%s', async (_what, body, status, reason) => {
    const { url, stop } = await serve({ maxBodyBytes: 5 * MIB });
    const session = await open(url);
    const [response, workMs] = await workOf(() => post(url, body, session));
    const { error } = (await response.json()) as { error?: { data?: { reason?: string } } };
    expect([response.status, error?.data?.reason]).toEqual([status, reason]);
    if (reason !== undefined) expect(workMs).toBeLessThan(MAX_WORK_MS);
    await stop();
  });

  test('1,000 messages of a revision with batches pass', async () => {
    const { url, stop } = await serve();
    const session = await open(url, {}, '2025-03-26');
    expect((await post(url, batch(1_000), session)).status).toBe(202);
    await stop();
  });

  test('a parsed body that is nested too deeply to serialise is answered 400', async () => {
    const parser = express.json({ limit: '5mb' }) as Middleware;
    const { url, stop, errors } = await serve({}, 'Express 5', [parser]);
    const response = await fetch(url, { method: 'POST', headers: JSON_HEADERS, body: nested(100_000) });
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { error: { data: { reason: 'unusable_body' } } },
    ]);
    expect(errors).toEqual([]);
    expect((await post(url, initialize())).status).toBe(200);
    await stop();
  });
});

test.each([
  [63, 200],
  [64, 401],
])('a token with a claim of %d levels is answered %d', async (levels, status) => {
  const signer = createSigner();
  const protectedApp = createProtectedApp({}, signer);
  const token = signer.sign(claims({ x: JSON.parse(nested(levels)) }));
  expect((await protectedApp.send(token)).status).toBe(status);
});

test.each<[text: string, members: number]>([
  ['{"a":1}', 1],
  ['{"a":1,"a":2}', 2],
  ['[{"a":{"b":1}},{"c":":"}]', 3],
  ['{"a\\":":[1,2],"b":"\\\\"}', 2],
  ['":"', 0],
  [' [ ] ', 0],
])('%s has %d members, duplicates included', (text, members) => {
  expect(countMembers(text)).toBe(members);
});
