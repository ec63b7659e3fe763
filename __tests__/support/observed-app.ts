import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import compression from 'compression';
import connect from 'connect';
import express from 'express';
import express4 from 'express4';
import { type CallRecord, type McpCallsOptions, type Middleware, mcpCalls } from '../../src/index.js';
import { serve } from './loopback-server.js';
import { until } from './until.js';

/** A function that answers as an MCP server would. */
export type Answer = (req: IncomingMessage & { body?: unknown }, res: ServerResponse) => void;

interface Frame {
  use(middleware: never): unknown;
}

/** What an app can be made with. */
export const FRAMEWORKS: Readonly<Record<string, () => Frame & RequestListener>> = {
  'Express 5': () => express() as never,
  'Express 4': () => express4() as never,
  connect: () => connect() as never,
};

export type Compression = 'without compression' | 'compression before it' | 'compression after it';

export interface ObservedApp {
  readonly url: string;
  readonly records: CallRecord[];
  /** Sends a message, or a text as it is. */
  post(message: unknown, init?: RequestInit): Promise<Response>;
  /** Waits for this number of records, and for more that would be too many. */
  recorded(count: number): Promise<CallRecord[]>;
}

interface Settings {
  readonly options?: McpCallsOptions;
  readonly framework?: string;
  readonly compression?: Compression;
  /** Mounted before `mcpCalls()`. */
  readonly before?: readonly Middleware[];
  /** Mounted between `mcpCalls()` and the server. */
  readonly after?: readonly Middleware[];
}

/** Serves an MCP server behind `mcpCalls()`. */
export async function serveObserved(answer: Answer, settings: Settings = {}): Promise<ObservedApp> {
  const { options, framework = 'Express 5', compression: place, before = [], after = [] } = settings;
  const records: CallRecord[] = [];
  const app = FRAMEWORKS[framework]?.() as Frame & RequestListener;
  const compress = compression({ threshold: 0 }) as unknown as Middleware;
  const calls = mcpCalls({ onCall: (record) => void records.push(record), ...options });
  const early = place === 'compression before it' ? [compress] : [];
  const late = place === 'compression after it' ? [compress] : [];
  for (const middleware of [...before, ...early, calls, ...late, ...after, answer]) app.use(middleware as never);
  const url = `${await serve(app)}/mcp`;
  return {
    url,
    records,
    post: (message, init) =>
      fetch(url, {
        method: 'POST',
        body: typeof message === 'string' ? message : JSON.stringify(message),
        ...init,
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          ...init?.headers,
        },
      }),
    async recorded(count) {
      await until(() => records.length >= count);
      // One record too many would come in the same turn or the next.
      await new Promise((resolve) => setTimeout(resolve, 20));
      return records;
    },
  };
}

export const toolCall = (id: unknown = 1, name = 'add', args: unknown = {}) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, arguments: args },
});

export function sending(status: number, type: string, body: string): Answer {
  return (_req, res) => void res.writeHead(status, { 'content-type': type }).end(body);
}

export const json = (message: object, status = 200) => sending(status, 'application/json', JSON.stringify(message));

export function events(...messages: object[]): Answer {
  const text = messages.map((each) => `event: message\ndata: ${JSON.stringify(each)}\n\n`).join('');
  return sending(200, 'text/event-stream', text);
}

/** A response to a request with this id. */
export const result = (id: unknown = 1, members: object = { content: [] }) => ({ jsonrpc: '2.0', id, result: members });
export const failure = (id: unknown = 1, code = -32602) => ({ jsonrpc: '2.0', id, error: { code, message: 'no' } });
