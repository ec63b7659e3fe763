import type { ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';
import { type Middleware, mcpBackend, mcpHttpBackend, mcpStdioBackend } from '../../src/index.js';
import { createRecordedCalls } from './recorded-calls.js';
import { createRecordingLogger } from './recording-logger.js';
import { startRecordingTarget } from './recording-target.js';
import { NODE, SCRIPTED, serveBackend } from './stdio-bridge.js';
import { collectUncaught } from './uncaught-errors.js';

/** A method of the response. */
export type Method = 'writeHead' | 'write' | 'end' | 'setHeader' | 'flushHeaders';

/** The values that a function throws, by the last word of the header. */
const THROWN: Readonly<Record<string, () => unknown>> = {
  error: () => new RangeError('the listener failed'),
  text: () => 'the listener failed',
  'without-stack': () => Object.assign(new RangeError('the listener failed'), { stack: null }),
};

/**
 * A middleware that replaces a method of the response, as a compression does. The header `x-throws` says which one throws, when, and what:
 * `once`, `each` time, or `after` its work. With `x-ends: later`, answers end asynchronously, as with express-session.
 */
const replaceMethods: Middleware = (req, res, next) => {
  const methods = res as unknown as Record<Method, (this: ServerResponse, ...args: unknown[]) => unknown>;
  const { end } = methods;
  if (req.headers['x-ends'] === 'later') {
    methods.end = function (...args) {
      setTimeout(() => end.apply(this, args), 5);
      return this;
    };
  }
  const [method, times, what = 'error'] = String(req.headers['x-throws'] ?? '').split(' ') as [Method, string, string];
  const original = methods[method];
  if (original !== undefined) {
    let isOver = false;
    methods[method] = function (...args) {
      if (isOver) return original.apply(this, args);
      isOver = times === 'once';
      if (times === 'after') original.apply(this, args);
      throw THROWN[what]?.();
    };
  }
  next();
};

const PROGRAM = { command: NODE, args: [SCRIPTED], env: { STATELESS: '1' } };

const WELCOME = { protocolVersion: '2025-06-18', capabilities: {}, serverInfo: { name: 'remote', version: '1' } };

/** A remote server: JSON with its length, JSON without, an event stream, or nothing, as the name of the tool says. */
function startRemote() {
  let sessions = 0;
  return startRecordingTarget(({ body, method }, res) => {
    if (method !== 'POST') return void res.writeHead(405).end();
    const { id, method: name, params } = JSON.parse(body);
    if (id === undefined) return void res.writeHead(202).end();
    if (params?.name === 'hang') return;
    if (params?.name === 'cut') return void res.socket?.destroy();
    const result = name === 'initialize' ? WELCOME : { content: [] };
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

/** The backends, each of which serves a tool that answers in every way. */
export const BACKENDS = {
  'mcpStdioBackend()': async (options: object) => mcpStdioBackend({ ...PROGRAM, ...options }),
  'mcpBackend() with programs': async (options: object) =>
    mcpBackend({ targets: { one: PROGRAM, two: PROGRAM }, ...options }),
  'mcpBackend() with a server': async (options: object) =>
    mcpBackend({ targets: { one: { url: (await startRemote()).url } }, ...options }),
  'mcpHttpBackend()': async (options: object) => mcpHttpBackend({ url: (await startRemote()).url, ...options }),
} as const;

/** Serves a backend behind the middleware, and collects what it records, logs and does not catch. */
export async function startThrowing(backend: keyof typeof BACKENDS, options: object = {}) {
  const uncaught = collectUncaught();
  const calls = createRecordedCalls();
  const { lines, logger } = createRecordingLogger();
  const made = await BACKENDS[backend]({ onCall: calls.onCall, logger, ...options });
  const served = await serveBackend<
    Middleware & { close(): Promise<void>; stats(): { pending: number; sessions: number } }
  >(made, 'Express 5', [replaceMethods]);
  onTestFinished(() => served.stop());
  const failures = () => lines.filter((line) => line.includes('answer_failed'));
  return { ...served, uncaught, calls, failures };
}

/** The status of an answer, or `cut off`. */
export async function outcomeOf(sent: Promise<Response>): Promise<number | 'cut off'> {
  try {
    const response = await sent;
    await response.text();
    return response.status;
  } catch {
    return 'cut off';
  }
}
