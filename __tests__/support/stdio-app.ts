import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import connect from 'connect';
import express from 'express';
import {
  type McpStdioBackend,
  type McpStdioBackendOptions,
  mcpStdioBackend,
} from '../../src/bridge/mcp-stdio-backend.js';
import { type AuthInfo, attachAuth } from '../../src/core/auth-info.js';
import type { Middleware } from '../../src/http/middleware.js';

// Express 4 under another name has no types of its own.
const express4 = createRequire(import.meta.url)('express4') as typeof express;

export const NODE = process.execPath;
export const SCRIPTED = fixture('scripted-server.mjs');
export const EVERYTHING = fileURLToPath(
  new URL('../../node_modules/@modelcontextprotocol/server-everything/dist/index.js', import.meta.url),
);

export function fixture(name: string): string {
  return fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
}

export type Framework = 'Express 5' | 'Express 4' | 'Connect';
export const FRAMEWORKS: readonly Framework[] = ['Express 5', 'Express 4', 'Connect'];

/** A token verifier in small: `Bearer NAME[@CLIENT] [SECONDS]` is the user NAME until SECONDS since 1970. */
export const identify: Middleware = (req, _res, next) => {
  const header = req.headers.authorization ?? '';
  const [, name, clientId = 'client', until] = /^Bearer (\w+)(?:@(\w+))?(?: (\d+))?$/.exec(header) ?? [];
  if (name !== undefined) attachAuth(req, userCalled(name, clientId, until === undefined ? undefined : Number(until)));
  next();
};

function userCalled(name: string, clientId: string, expiresAt: number | undefined): AuthInfo {
  const payload = { iss: 'https://issuer.example', sub: name, email: `${name}@example.com` };
  const times = expiresAt === undefined ? {} : { expiresAt };
  return { token: `secret-token-of-${name}`, clientId, scopes: [], extra: {}, header: {}, payload, ...times };
}

export interface Served {
  readonly url: string;
  readonly backend: McpStdioBackend;
  readonly server: Server;
  /** What reached `next(error)`. */
  readonly errors: unknown[];
  stop(): Promise<void>;
}

/** A backend under /mcp on a real listener. */
export async function serve(
  options: Partial<McpStdioBackendOptions> = {},
  framework: Framework = 'Express 5',
  before: readonly Middleware[] = [],
): Promise<Served> {
  const backend = mcpStdioBackend({ command: NODE, args: [SCRIPTED], ...options });
  const errors: unknown[] = [];
  const server = createServer(appWith(framework, [...before, identify], backend, errors));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
  const stop = async (): Promise<void> => {
    await backend.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url, backend, server, errors, stop };
}

function appWith(framework: Framework, before: readonly Middleware[], backend: Middleware, errors: unknown[]) {
  const record = (
    error: unknown,
    _req: IncomingMessage,
    res: { statusCode: number; end(): void },
    _next: unknown,
  ): void => {
    errors.push(error);
    res.statusCode = 500;
    res.end();
  };
  if (framework === 'Connect') {
    const app = connect();
    for (const middleware of before) app.use(middleware);
    app.use('/mcp', backend);
    app.use(record);
    return app;
  }
  const app = framework === 'Express 5' ? express() : express4();
  for (const middleware of before) app.use(middleware);
  app.use('/mcp', backend);
  app.use(record as express.ErrorRequestHandler);
  return app;
}

export type Headers = Readonly<Record<string, string>>;

export const JSON_HEADERS: Headers = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
};

/** POSTs a message, or a text as it is. */
export function post(url: string, message: unknown, headers: Headers = {}, signal?: AbortSignal): Promise<Response> {
  const body = typeof message === 'string' ? message : JSON.stringify(message);
  return fetch(url, { method: 'POST', headers: { ...JSON_HEADERS, ...headers }, body, ...(signal && { signal }) });
}

export function initialize(revision = '2025-06-18', id: string | number = 0) {
  const params = { protocolVersion: revision, capabilities: {}, clientInfo: { name: 'test', version: '1' } };
  return { jsonrpc: '2.0', id, method: 'initialize', params };
}

export function call(id: string | number, name: string, args: object = {}, meta?: object) {
  return { jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args, ...(meta && { _meta: meta }) } };
}

/** Opens a session; the headers that every further request needs. */
export async function open(url: string, headers: Headers = {}, revision?: string): Promise<Headers> {
  const response = await post(url, initialize(revision), headers);
  if (response.status !== 200) throw new Error(`initialize was answered ${response.status} ${await response.text()}`);
  await response.json();
  const id = response.headers.get('mcp-session-id');
  if (id === null) throw new Error('no session id');
  return { ...headers, 'mcp-session-id': id };
}

/** Calls a tool and returns the text it answers with. */
export async function callText(
  url: string,
  session: Headers,
  name: string,
  args: object = {},
  meta?: object,
): Promise<string> {
  const response = await post(url, call(`${name}-${++calls}`, name, args, meta), session);
  const { result } = (await response.json()) as { result: { content: [{ text: string }] } };
  return result.content[0].text;
}
let calls = 0;

export interface SseEvent {
  readonly id: string | undefined;
  readonly retry: string | undefined;
  readonly data: string;
}

/** The events of a stream, as they come. */
export async function* eventsOf(response: Response): AsyncGenerator<SseEvent> {
  let rest = '';
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    rest += Buffer.from(chunk).toString('utf8');
    for (let end = rest.indexOf('\n\n'); end >= 0; end = rest.indexOf('\n\n')) {
      const lines = rest.slice(0, end).split('\n');
      rest = rest.slice(end + 2);
      const field = (name: string) =>
        lines
          .find((line) => line.startsWith(`${name}:`))
          ?.slice(name.length + 1)
          .trim();
      if (lines.some((line) => !line.startsWith(':')))
        yield { id: field('id'), retry: field('retry'), data: field('data') ?? '' };
    }
  }
}

/** The messages of an answer up to its end, be it a stream or not. */
export async function messagesOf(response: Response): Promise<Record<string, unknown>[]> {
  if (response.headers.get('content-type') === 'application/json')
    return [(await response.json()) as Record<string, unknown>];
  const messages: Record<string, unknown>[] = [];
  for await (const { data } of eventsOf(response)) if (data !== '') messages.push(JSON.parse(data));
  return messages;
}

/** The next message of a stream that goes on. */
export async function nextMessage(events: AsyncGenerator<SseEvent>): Promise<Record<string, unknown>> {
  for (;;) {
    const { value, done } = await events.next();
    if (done) throw new Error('the stream ended');
    if (value.data !== '') return JSON.parse(value.data);
  }
}

/** Whether a process runs; one that only waits to be reaped does not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== 'linux' || !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

/** Resolves as soon as `condition` holds; it looks at things that nobody announces, such as the process table. */
export async function until(condition: () => boolean | Promise<boolean>, ms = 10_000): Promise<void> {
  const deadline = Date.now() + ms;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not within ${ms} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A request of 2026-07-28 with everything that belongs to it. */
export function modern(id: string | number, method: string, params: Record<string, unknown> = {}, meta: object = {}) {
  const envelope = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const whole: Record<string, unknown> = { ...params, _meta: { ...envelope, ...meta } };
  return { jsonrpc: '2.0', id, method, params: whole };
}

/** The headers that belong to it. */
export function modernHeaders(message: ReturnType<typeof modern>): Headers {
  const { name = message.params.uri ?? message.params.taskId } = message.params;
  return {
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': message.method,
    ...(typeof name === 'string' && { 'mcp-name': name }),
  };
}

export function postModern(
  url: string,
  message: ReturnType<typeof modern>,
  headers: Headers = {},
  signal?: AbortSignal,
): Promise<Response> {
  return post(url, message, { ...modernHeaders(message), ...headers }, signal);
}

export function modernCall(id: string | number, name: string, args: object = {}, meta: object = {}) {
  return modern(id, 'tools/call', { name, arguments: args }, meta);
}

/** Calls a tool without a session and returns the text it answers with. */
export async function modernText(url: string, name: string, args: object = {}, headers: Headers = {}, meta = {}) {
  const response = await postModern(url, modernCall(`${name}-${++calls}`, name, args, meta), headers);
  const { result } = (await response.json()) as { result: { content: [{ text: string }] } };
  return result.content[0].text;
}
