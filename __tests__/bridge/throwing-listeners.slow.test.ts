import type { ServerResponse } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Middleware, mcpBackend, mcpHttpBackend, mcpStdioBackend } from '../../src/index.js';
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
import { createRecordedCalls } from '../support/recorded-calls.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { startRecordingTarget } from '../support/recording-target.js';
import { NODE, SCRIPTED, serveBackend } from '../support/stdio-bridge.js';
import { collectUncaught } from '../support/uncaught-errors.js';
import { until } from '../support/until.js';

type Method = 'writeHead' | 'write' | 'end' | 'setHeader' | 'flushHeaders';

/** A middleware that replaces a method of the response, as a compression does. The header says which one throws: once, or each time. */
const breakMethod: Middleware = (req, res, next) => {
  const [method, times] = String(req.headers['x-throws'] ?? '').split(' ') as [Method, string];
  const methods = res as unknown as Record<Method, (this: ServerResponse, ...args: unknown[]) => unknown>;
  const original = methods[method];
  if (original !== undefined) {
    let isOver = false;
    methods[method] = function (...args) {
      if (isOver) return original.apply(this, args);
      isOver = times === 'once';
      throw new RangeError('the listener failed');
    };
  }
  next();
};

const ADA = { authorization: 'Bearer ada' };
const BOB = { authorization: 'Bearer bob' };
const PROGRAM = { command: NODE, args: [SCRIPTED], env: { STATELESS: '1' } };

/** A remote server: JSON with its length, JSON without, an event stream, or nothing, as the name of the tool says. */
function startRemote() {
  let sessions = 0;
  return startRecordingTarget(({ body, method }, res) => {
    if (method !== 'POST') return void res.writeHead(405).end();
    const { id, method: name, params } = JSON.parse(body);
    if (id === undefined) return void res.writeHead(202).end();
    if (params?.name === 'hang') return;
    if (params?.name === 'cut') return void res.socket?.destroy();
    const result = name === 'initialize' ? { protocolVersion: '2025-06-18', capabilities: {} } : { content: [] };
    const answer = JSON.stringify({ jsonrpc: '2.0', id, result });
    const session = name === 'initialize' && { 'mcp-session-id': `session-${++sessions}` };
    if (params?.name === 'progress') {
      res.writeHead(200, { 'content-type': 'text/event-stream', ...session });
      res.write('data: {"jsonrpc":"2.0","method":"notifications/message","params":{}}\n\n');
      setTimeout(() => res.end(`data: ${answer}\n\n`), 20);
      return;
    }
    const length = params?.name === 'chunked' ? {} : { 'content-length': answer.length };
    res.writeHead(200, { 'content-type': 'application/json', ...length, ...session }).end(answer);
  });
}

const BACKENDS = {
  'mcpStdioBackend()': async (options: object) => mcpStdioBackend({ ...PROGRAM, ...options }),
  'mcpBackend() with programs': async (options: object) =>
    mcpBackend({ targets: { one: PROGRAM, two: PROGRAM }, ...options }),
  'mcpBackend() with a server': async (options: object) =>
    mcpBackend({ targets: { one: { url: (await startRemote()).url } }, ...options }),
  'mcpHttpBackend()': async (options: object) => mcpHttpBackend({ url: (await startRemote()).url, ...options }),
} as const;

async function start(backend: keyof typeof BACKENDS, options: object = {}) {
  const uncaught = collectUncaught();
  const calls = createRecordedCalls();
  const { lines, logger } = createRecordingLogger();
  const made = await BACKENDS[backend]({ onCall: calls.onCall, logger, ...options });
  const served = await serveBackend<
    Middleware & { close(): Promise<void>; stats(): { pending: number; sessions: number } }
  >(made, 'Express 5', [breakMethod]);
  onTestFinished(() => served.stop());
  const failures = () => lines.filter((line) => line.includes('answer_failed'));
  return { ...served, uncaught, calls, failures };
}

/** The status of an answer, or `cut off`. */
async function outcomeOf(sent: Promise<Response>): Promise<number | 'cut off'> {
  try {
    const response = await sent;
    await response.text();
    return response.status;
  } catch {
    return 'cut off';
  }
}

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
  /^error mcp\w+\(\): an answer failed \(answer_failed\): RangeError at .+throwing-listeners.+: a function of the application/;

describe('a function of the application that throws fails one call', () => {
  test.each(ROWS)(
    '%s, %s, %s: %s',
    async (backend, way, tool, method, expected, options, outcome = 'target_failed') => {
      const { url, backend: served, uncaught, calls, failures } = await start(backend, options);
      const ada = await WAYS[way](url, ADA);
      const bob = await WAYS[way](url, BOB);
      const harmless = tool.replace(/[a-z]+$/, 'echo');
      for (const times of ['once', 'each time']) {
        const broken = outcomeOf(ada(tool, STREAMS, { 'x-throws': `${method} ${times}` }));
        expect(await outcomeOf(bob(harmless, {}, {})), 'another call').toBe(200);
        expect(await broken).toBe(times === 'once' ? expected : 'cut off');
        // Its session is over.
        if (tool === 'crash') break;
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

describe('a session whose answer to initialize fails is over', () => {
  test.each(Object.keys(BACKENDS) as (keyof typeof BACKENDS)[])('%s', async (backend) => {
    const { url, backend: served, uncaught } = await start(backend);
    expect(await outcomeOf(post(url, initialize(), { ...ADA, 'x-throws': 'writeHead once' }))).toBe(500);
    await until(() => served.stats().sessions === 0);
    expect(uncaught).toEqual([]);
  });
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
