import { describe, expect, test } from 'vitest';
import type { CallOutcome } from '../../src/telemetry/call-record.js';
import {
  call,
  type Headers,
  initialize,
  open,
  post,
  statelessCall,
  statelessHeaders,
} from '../support/mcp-requests.js';
import { BACKENDS, type Method, outcomeOf, startThrowing as start } from '../support/throwing-functions.js';
import { until } from '../support/until.js';

const ADA = { authorization: 'Bearer ada' };
const BOB = { authorization: 'Bearer bob' };
const PROGRESS = { progressToken: 'p' };

/** The ways in which clients call a tool. Each resolves to the headers and messages of a call. */
const WAYS = {
  session: async (url: string, who: Headers) => {
    const headers = await open(url, who);
    return (tool: string, args: object, more: Headers) =>
      post(url, call(7, tool, args, PROGRESS), { ...headers, ...more });
  },
  stateless: async (url: string, who: Headers) => (tool: string, args: object, more: Headers) => {
    const message = statelessCall(7, tool, args, PROGRESS);
    return post(url, message, { ...statelessHeaders(message), ...who, ...more });
  },
  'no session': async (url: string, who: Headers) => (tool: string, args: object, more: Headers) =>
    post(url, call(7, tool, args, PROGRESS), { ...who, ...more }),
} as const;

type Row = [
  backend: keyof typeof BACKENDS,
  way: keyof typeof WAYS,
  tool: string,
  method: Method,
  expected: number | 'cut off',
  options?: object,
  outcome?: CallOutcome,
];

const STREAMS = { steps: 3 };

/** An answer of which nothing is sent yet is a 500 of the application. One that has begun is cut off. */
const ROWS: readonly Row[] = [
  ['mcpStdioBackend()', 'session', 'echo', 'writeHead', 500],
  ['mcpStdioBackend()', 'session', 'echo', 'end', 'cut off'],
  ['mcpStdioBackend()', 'session', 'progress', 'writeHead', 500],
  ['mcpStdioBackend()', 'session', 'progress', 'flushHeaders', 'cut off'],
  ['mcpStdioBackend()', 'session', 'progress', 'write', 'cut off'],
  ['mcpStdioBackend()', 'session', 'progress', 'end', 'cut off'],
  ['mcpStdioBackend()', 'session', 'crash', 'writeHead', 500],
  ['mcpStdioBackend()', 'session', 'hang', 'writeHead', 500, { requestTimeoutSeconds: 1 }],
  ['mcpStdioBackend()', 'stateless', 'echo', 'writeHead', 500],
  ['mcpStdioBackend()', 'stateless', 'progress', 'write', 'cut off'],
  ['mcpStdioBackend()', 'stateless', 'progress', 'end', 'cut off'],
  ['mcpStdioBackend()', 'stateless', 'hang', 'writeHead', 500, { requestTimeoutSeconds: 1 }],
  ['mcpStdioBackend()', 'no session', 'echo', 'writeHead', 500, { sessions: false }],
  ['mcpStdioBackend()', 'no session', 'progress', 'write', 'cut off', { sessions: false }],
  ['mcpBackend() with programs', 'session', 'one_echo', 'writeHead', 500],
  ['mcpBackend() with programs', 'session', 'two_progress', 'write', 'cut off'],
  ['mcpBackend() with a server', 'session', 'echo', 'writeHead', 500],
  ['mcpBackend() with a server', 'session', 'progress', 'write', 'cut off'],
  ['mcpBackend() with a server', 'session', 'cut', 'writeHead', 500],
  ['mcpHttpBackend()', 'session', 'echo', 'writeHead', 500],
  ['mcpHttpBackend()', 'session', 'echo', 'end', 'cut off'],
  ['mcpHttpBackend()', 'session', 'chunked', 'write', 'cut off'],
  ['mcpHttpBackend()', 'session', 'chunked', 'end', 'cut off'],
  ['mcpHttpBackend()', 'session', 'progress', 'flushHeaders', 'cut off'],
  ['mcpHttpBackend()', 'session', 'progress', 'write', 'cut off'],
  // Every byte of the answer is sent by then.
  ['mcpHttpBackend()', 'session', 'progress', 'end', 'cut off', {}, 'answered'],
  ['mcpHttpBackend()', 'session', 'cut', 'writeHead', 500],
  ['mcpHttpBackend()', 'session', 'hang', 'writeHead', 500, { responseTimeoutSeconds: 1 }, 'timed_out'],
];

const LINE =
  /^error mcp\w+\(\): an answer failed \(answer_failed\): RangeError at .+throwing-functions.+: a function of the application/;

describe('a function of the application that throws fails one call', () => {
  test.each(ROWS)(
    '%s, %s, %s: %s',
    async (backend, way, tool, method, expected, options, outcome = 'target_failed') => {
      const { url, backend: served, uncaught, calls, failures } = await start(backend, options);
      const ada = await WAYS[way](url, ADA);
      const bob = await WAYS[way](url, BOB);
      const harmless = tool.replace(/[a-z]+$/, 'echo');
      for (const times of ['once', 'each']) {
        const broken = outcomeOf(ada(tool, STREAMS, { 'x-throws': `${method} ${times}` }));
        expect(await outcomeOf(bob(harmless, {}, {})), 'another call').toBe(200);
        expect(await broken).toBe(times === 'once' ? expected : 'cut off');
        // Its session is over.
        if (tool === 'crash') break;
        // In a session, a call goes on after its stream has broken: its id is in use.
        await until(() => served.stats().pending === 0);
      }
      expect(failures()).toEqual([expect.stringMatching(LINE)]);
      const failed = () => calls.records.filter(({ name, user }) => name === tool && user === 'ada');
      await until(() => failed().length === (tool === 'crash' ? 1 : 2));
      for (const record of failed()) expect(record.outcome).toBe(outcome);
      await until(() => served.stats().pending === 0);
      expect(uncaught).toEqual([]);
    },
  );
});

const ALL = Object.keys(BACKENDS) as (keyof typeof BACKENDS)[];
const STREAM_ONLY = { accept: 'text/event-stream' };

describe('a session whose answer to initialize fails is over, and the client does not get its id', () => {
  test.each(ALL)('%s', async (backend) => {
    const { url, backend: served, uncaught } = await start(backend);
    const answers: Headers[] = [{}, STREAM_ONLY, { 'x-ends': 'later' }];
    for (const more of answers) {
      const response = await post(url, initialize(), { ...ADA, 'x-throws': 'writeHead once', ...more });
      expect([response.status, response.headers.get('mcp-session-id')]).toEqual([500, null]);
      expect(await response.text(), 'the whole answer').toContain('answer_failed');
      await until(() => served.stats().sessions === 0);
    }
    expect(uncaught).toEqual([]);
  });
});

describe('a function that throws after the end of an answer takes nothing from the client', () => {
  test.each(ALL)('%s', async (backend) => {
    const { url, backend: served, uncaught, calls, failures } = await start(backend);
    const session = await open(url, { ...ADA, 'x-throws': 'end after' });
    expect(served.stats().sessions).toBe(1);
    const prefix = backend === 'mcpBackend() with programs' ? 'one_' : '';
    for (const tool of ['echo', 'progress']) {
      const response = await post(url, call(7, `${prefix}${tool}`, STREAMS, PROGRESS), session);
      expect([response.status, await response.text()]).toEqual([200, expect.stringContaining('"id":7')]);
    }
    await until(() => calls.records.filter(({ method }) => method === 'tools/call').length === 2);
    for (const record of calls.records) expect(record.outcome).toBe('answered');
    await until(() => served.stats().pending === 0);
    expect(served.stats().sessions).toBe(1);
    expect(failures()).toEqual([
      expect.stringContaining(': a function failed after the end of an answer (answer_failed)'),
    ]);
    expect(uncaught).toEqual([]);
  });
});

describe('a thrown value without a place fails one call', () => {
  test.each([
    ['text', 'Error'],
    ['without-stack', 'RangeError'],
  ])('%s', async (what, name) => {
    const { url, uncaught, failures } = await start('mcpStdioBackend()');
    const session = await open(url, ADA);
    const broken = post(url, call(7, 'echo'), { ...session, 'x-throws': `writeHead once ${what}` });
    expect(await outcomeOf(broken)).toBe(500);
    expect(failures()).toEqual([expect.stringContaining(`(answer_failed): ${name}: a function of the application`)]);
    expect(uncaught).toEqual([]);
  });
});

const NOTIFICATION = { jsonrpc: '2.0', method: 'notifications/roots/list_changed' };
const UNKNOWN = { 'mcp-session-id': 'unknown' };

/** Answers that the handler of a request begins, while the application's error handler would be called. */
const EARLY: Readonly<Record<string, (url: string, session: Headers) => Promise<Response>>> = {
  'a refusal': (url, session) => post(url, call(7, 'echo'), { ...session, ...UNKNOWN }),
  'the answer to a notification': (url, session) => post(url, NOTIFICATION, session),
  'an event stream': (url, session) => post(url, call(7, 'echo'), { ...session, ...STREAM_ONLY }),
  'the stream of a session': (url, session) => fetch(url, { headers: { ...session, ...STREAM_ONLY } }),
  'the end of a session': (url, session) => fetch(url, { method: 'DELETE', headers: session }),
};

describe.each(ALL)('%s: a function that throws each time, also for the error handler, ends nothing but', (backend) => {
  test.each(Object.entries(EARLY))('%s', async (_what, send) => {
    const { url, backend: served, uncaught, errors } = await start(backend);
    const session = await open(url, ADA);
    expect(await outcomeOf(send(url, { ...session, 'x-throws': 'writeHead each' }))).toBe('cut off');
    expect(await outcomeOf(post(url, initialize(), ADA))).toBe(200);
    await until(() => served.stats().pending === 0);
    expect(errors).toEqual([]);
    expect(uncaught).toEqual([]);
  });
});

test('an event stream that cannot begin sends no call', async () => {
  const { url, uncaught, calls } = await start('mcpStdioBackend()');
  const session = await open(url, ADA);
  const broken = post(url, call(7, 'crash'), { ...session, ...STREAM_ONLY, 'x-throws': 'writeHead once' });
  expect(await outcomeOf(broken)).toBe(500);
  expect(await outcomeOf(post(url, call(8, 'echo'), session))).toBe(200);
  await until(() => calls.records.some(({ name }) => name === 'echo'));
  const [crashed] = calls.records.filter(({ name }) => name === 'crash');
  expect(crashed).toMatchObject({ outcome: 'target_failed', code: 'answer_failed' });
  expect(uncaught).toEqual([]);
});

test('a message that a stream could not send is sent on the next one', async () => {
  const { url, uncaught } = await start('mcpStdioBackend()');
  const headers = await open(url, ADA);
  const listen = (more: Headers) => fetch(url, { headers: { ...headers, accept: 'text/event-stream', ...more } });
  const broken = await listen({ 'x-throws': 'write once' });
  await (await post(url, call(1, 'late'), headers)).text();
  await expect(broken.text()).rejects.toThrow();
  const { value } = (await (await listen({})).body?.getReader().read()) ?? {};
  expect(Buffer.from(value ?? []).toString()).toContain('late from');
  expect(uncaught).toEqual([]);
});
