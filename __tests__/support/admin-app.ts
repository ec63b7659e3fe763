import { createServer } from 'node:http';
import express from 'express';
import { onTestFinished } from 'vitest';
import type { McpAdminOptions } from '../../src/admin/admin-options.js';
import { type McpAdmin, mcpAdmin } from '../../src/admin/mcp-admin.js';
import { type Logger, type McpAuth, mcpAuth, mcpStdioBackend } from '../../src/index.js';
import { createTestIssuer, type TestIssuer } from '../../src/testing/index.js';
import { listen, originOf, serve, stop } from './loopback-server.js';
import { fixture, NODE } from './stdio-bridge.js';

/** The answer to a request of the page. */
export interface AdminAnswer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: The tests name the members.
  readonly body: any;
}

/** The page, and the requests that it makes. */
export interface AdminPage {
  get(path: string, headers?: Record<string, string>): Promise<AdminAnswer>;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<AdminAnswer>;
  /** Connects to the events. */
  events(): Promise<EventReader>;
}

/** Reads server-sent events. */
export interface EventReader {
  /** Resolves to the next event with this name for which `isWanted` is true; others are dropped. */
  next(name: string, isWanted?: (data: Record<string, unknown>) => boolean): Promise<Record<string, unknown>>;
  /** Resolves to everything until the server ends the stream. */
  rest(): Promise<string>;
}

/** @param url The address of the page, with its slash. */
export function adminPageAt(url: string, headers: Record<string, string> = {}): AdminPage {
  const { origin } = new URL(url);
  const ask = async (path: string, init: RequestInit) => {
    const response = await fetch(url + path, { redirect: 'manual', ...init });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json');
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  };
  return {
    get: (path, more) => ask(path, { headers: { ...headers, ...more } }),
    post: (path, body, more) =>
      ask(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin, ...headers, ...more },
        body: JSON.stringify(body),
      }),
    events: async () => readEvents(await fetch(`${url}api/events`, { headers })),
  };
}

function readEvents(response: Response): EventReader {
  const reader = (response.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream()).getReader();
  onTestFinished(() => reader.cancel().catch(() => undefined));
  let text = '';
  return {
    async next(wanted, isWanted = () => true) {
      for (;;) {
        const end = text.indexOf('\n\n');
        if (end !== -1) {
          const [, name, data = ''] = /^event: (.*)\ndata: (.*)$/.exec(text.slice(0, end)) ?? [];
          text = text.slice(end + 2);
          const parsed = JSON.parse(data) as Record<string, unknown>;
          if (name === wanted && isWanted(parsed)) return parsed;
          continue;
        }
        const { value, done } = await reader.read();
        if (done) throw new Error(`the stream ended without ${wanted}`);
        text += value;
      }
    },
    async rest() {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return text;
        text += value;
      }
    },
  };
}

export interface AdminApp extends AdminPage {
  readonly origin: string;
  readonly issuer: TestIssuer;
  readonly auth: McpAuth;
  readonly admin: McpAdmin;
}

interface AdminAppOptions {
  readonly options?: Partial<McpAdminOptions>;
  readonly policy?: object;
  /** Runs before the page. */
  readonly before?: readonly express.RequestHandler[];
  readonly logger?: Logger;
}

/** Serves an app until the test ends: `/mcp` is a server of notes behind `mcpAuth()`, and `/admin` is the page. */
export async function serveAdminApp({
  options = {},
  policy = {},
  before = [],
  logger,
}: AdminAppOptions = {}): Promise<AdminApp> {
  const app = express();
  const server = createServer(app);
  await listen(server);
  onTestFinished(() => stop(server));
  const origin = originOf(server);
  const issuer = createTestIssuer({ issuer: `https://issuer-${new URL(origin).port}.test` });
  const auth = mcpAuth({ ...issuer.policy({ resource: `${origin}/mcp`, ...policy }), ...(logger && { logger }) });
  const backend = mcpStdioBackend({ command: NODE, args: [fixture('notes-server.mjs'), '--stdio'] });
  onTestFinished(() => backend.close());
  const given = {
    authorize: 'loopback',
    backends: { '/mcp': backend },
    auth,
    ...(logger && { logger }),
    ...options,
  } as McpAdminOptions;
  const admin = mcpAdmin(given);
  onTestFinished(() => admin.close());
  app.use('/admin', ...before, admin);
  app.use(auth);
  app.use('/mcp', backend);
  return { ...adminPageAt(`${origin}/admin/`), origin, issuer, auth, admin };
}

/** Opens a session at `/mcp`. Resolves to the function that calls in it; it resolves to the status and the text. */
export async function openSession(url: string, token: string) {
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    authorization: `Bearer ${token}`,
  };
  const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } };
  const send = (message: object, more: Record<string, string> = {}) =>
    fetch(url, {
      method: 'POST',
      headers: { ...headers, ...more },
      body: JSON.stringify({ jsonrpc: '2.0', ...message }),
    });
  const opened = await send({ id: 1, method: 'initialize', params });
  const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' };
  await opened.text();
  let id = 1;
  const call = async (method: string, args: object = {}): Promise<[number, string]> => {
    id += 1;
    const response = await send({ id, method, params: args }, session);
    return [response.status, await response.text()];
  };
  return { id: session['mcp-session-id'], call };
}

/** Serves a page without an app around it, until the test ends. */
export async function servePageAlone(authorize: McpAdminOptions['authorize'] = 'loopback') {
  const admin = mcpAdmin({ authorize });
  onTestFinished(() => admin.close());
  const url = `${await serve((req, res) => admin(req, res, () => undefined))}/`;
  return { url, admin, ...adminPageAt(url) };
}
