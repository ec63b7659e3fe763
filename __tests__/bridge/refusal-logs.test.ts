import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createCountedLines } from '../../src/core/rare-line.js';
import { call, initialize, open, post } from '../support/mcp-requests.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { callTool, createScopedApp } from '../support/scoped-app.js';
import { serve } from '../support/stdio-bridge.js';

type Send = (url: string) => Promise<Response>;

const LONG = JSON.stringify(call(1, 'echo', { text: 'x'.repeat(2_000) }));

/** Each refusal, and the line about it. */
const ROWS: readonly [status: number, reason: string, send: Send, line: RegExp][] = [
  [413, 'body_too_large', (url) => post(url, LONG), /^info .* longer than 1000 bytes: .* raise maxBodyBytes$/],
  [
    415,
    'unsupported_media_type',
    (url) => post(url, '{}', { 'content-type': 'text/plain' }),
    /^info .* application\/json/,
  ],
  [404, 'unknown_session', (url) => post(url, call(1, 'x'), { 'mcp-session-id': 'x' }), /^info .* to one process$/],
  [400, 'malformed_json', (url) => post(url, '{'), /^info .*: see malformed_json in docs\/errors\.md$/],
  [400, 'missing_session', (url) => post(url, call(1, 'x')), /^info .*: see missing_session in docs\/errors\.md$/],
  [405, 'method_not_allowed', (url) => fetch(url, { method: 'PUT' }), /^debug .*: clients go on without it$/],
  [406, 'not_acceptable', (url) => post(url, initialize(), { accept: 'text/html' }), /^info .*: see not_acceptable/],
];

describe('the bridge logs a refusal once a minute for each reason, with what to do', () => {
  test.each(ROWS)('%d %s', async (status, reason, send, line) => {
    const { lines, logger } = createRecordingLogger();
    const { url, stop } = await serve({ logger, maxBodyBytes: 1_000 });
    onTestFinished(stop);
    for (let i = 0; i < 3; i++) expect((await send(url)).status).toBe(status);
    expect(lines).toEqual([expect.stringMatching(line)]);
    expect(lines[0]).toContain(`mcpStdioBackend(): answered ${status} (${reason}): `);
  });

  test('429 too_many_pending', async () => {
    const { lines, logger } = createRecordingLogger();
    const { url, stop } = await serve({ logger, maxPendingRequests: 1 });
    const session = await open(url);
    void post(url, call(1, 'hang'), session).catch(() => undefined);
    const statuses = await Promise.all([2, 3].map(async (id) => (await post(url, call(id, 'hang'), session)).status));
    expect(statuses).toEqual([429, 429]);
    expect(lines).toEqual([expect.stringMatching(/^warn .*429 \(too_many_pending\): .* raise maxPendingRequests$/)]);
    await stop();
  });

  test('403 anonymous_refused', async () => {
    const { lines, logger } = createRecordingLogger();
    const { url, stop } = await serve({ logger, sessions: false, anonymousRequests: 'refuse' });
    onTestFinished(stop);
    for (let i = 0; i < 3; i++) expect((await post(url, initialize())).status).toBe(403);
    expect(lines.filter((line) => !line.startsWith('debug'))).toEqual([
      expect.stringMatching(/^info .*403 \(anonymous_refused\): .*: let callers log in, with mcpAuth\(\)/),
    ]);
  });
});

describe('mcpScopes() logs once a minute', () => {
  const rules = { 'tools/call': { pay: ['bank:write'], shut: false } };

  test.each([
    [
      'a call without a scope',
      'pay',
      /^info mcpScopes\(\): denied a call \(insufficient_scope\): it needs bank:write\. .* grant them/,
    ],
    ['a denied call', 'shut', /^info mcpScopes\(\): denied a call \(call_denied\): a rule denies it\./],
  ])('%s, without its name', async (_case, tool, line) => {
    const { lines, logger } = createRecordingLogger();
    const app = createScopedApp(rules, { options: { logger } });
    for (let i = 0; i < 3; i++) expect((await app.post(callTool(tool))).status).toBe(403);
    const shown = lines.filter((each) => !each.startsWith('debug'));
    expect(shown).toEqual([expect.stringMatching(line)]);
    expect(shown[0]).not.toContain(tool);
    expect(lines.filter((each) => each.startsWith('debug'))).toHaveLength(3);
  });

  test('a body over the limit', async () => {
    const { lines, logger } = createRecordingLogger();
    const app = createScopedApp(rules, { options: { logger, maxBodyBytes: 10 } });
    for (let i = 0; i < 3; i++) expect((await app.post(callTool('x'))).status).toBe(413);
    expect(lines).toEqual([
      expect.stringMatching(/^info mcpScopes\(\): answered 413 \(body_too_large\): .* raise maxBodyBytes$/),
    ]);
  });
});

test('a line after a minute says how many more there were', () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const written: string[] = [];
  const count = createCountedLines<string>();
  const add = (kind: string) => count(kind, (more) => written.push(kind + more));
  for (const kind of ['a', 'a', 'b', 'a']) add(kind);
  vi.advanceTimersByTime(60_001);
  for (const kind of ['a', 'a', 'b']) add(kind);
  expect(written).toEqual(['a', 'b', 'a (2 more since the last such line)', 'b']);
});
