import { createServer, type IncomingMessage, type Server } from 'node:http';
import { fileURLToPath } from 'node:url';
import connect from 'connect';
import express from 'express';
import express4 from 'express4';
import {
  type McpStdioBackend,
  type McpStdioBackendOptions,
  mcpStdioBackend,
} from '../../src/bridge/mcp-stdio-backend.js';
import { type AuthInfo, attachAuth } from '../../src/core/auth-info.js';
import type { Middleware } from '../../src/http/middleware.js';
import { listen, originOf, stop as stopListening } from './loopback-server.js';

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

/** A minimal token verifier: `Bearer NAME[@CLIENT] [SECONDS]` is the user NAME until SECONDS since 1970. */
export const identify: Middleware = (req, _res, next) => {
  const header = req.headers.authorization ?? '';
  const [, name, clientId = 'client', until] = /^Bearer (\w+)(?:@(\w+))?(?: (\d+))?$/.exec(header) ?? [];
  if (name !== undefined) attachAuth(req, userCalled(name, clientId, until === undefined ? undefined : Number(until)));
  next();
};

function userCalled(name: string, clientId: string, expiresAt: number | undefined): AuthInfo {
  const payload = { iss: 'https://issuer.example', sub: name, email: `${name}@example.com` };
  const times = expiresAt === undefined ? {} : { expiresAt };
  return {
    token: `secret-token-of-${name}`,
    clientId,
    subject: name,
    scopes: [],
    extra: {},
    header: {},
    payload,
    ...times,
  };
}

/** A backend on a real listener. */
export interface Served<Backend = McpStdioBackend> {
  readonly url: string;
  readonly backend: Backend;
  readonly server: Server;
  /** The errors that reached `next(error)`. */
  readonly errors: unknown[];
  stop(): Promise<void>;
}

/** Serves `mcpStdioBackend()` at /mcp on a real listener. */
export function serve(
  options: Partial<McpStdioBackendOptions> = {},
  framework: Framework = 'Express 5',
  before: readonly Middleware[] = [],
): Promise<Served> {
  return serveBackend(mcpStdioBackend({ command: NODE, args: [SCRIPTED], ...options }), framework, before);
}

/** Serves any backend at /mcp on a real listener. */
export async function serveBackend<Backend extends Middleware & { close(): Promise<void> }>(
  backend: Backend,
  framework: Framework = 'Express 5',
  before: readonly Middleware[] = [],
): Promise<Served<Backend>> {
  const errors: unknown[] = [];
  const server = createServer(appWith(framework, [...before, identify], backend, errors));
  await listen(server);
  const stop = async (): Promise<void> => {
    await backend.close();
    await stopListening(server);
  };
  return { url: `${originOf(server)}/mcp`, backend, server, errors, stop };
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
