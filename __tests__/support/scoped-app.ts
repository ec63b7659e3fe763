import type { RequestListener } from 'node:http';
import { text } from 'node:stream/consumers';
import express from 'express';
import request, { type Response } from 'supertest';
import {
  type McpAuthOptions,
  type McpScopesOptions,
  type Middleware,
  mcpAuth,
  mcpScopes,
  type ScopeRules,
} from '../../src/index.js';
import { createTestIssuer } from '../../src/testing/index.js';

export interface ScopedApp {
  readonly app: RequestListener;
  /** The requests that reached the server: the bytes it read, and `req.body`. */
  readonly received: { readonly text: string; readonly body: unknown }[];
  /** POSTs a message, or a text as it is, with a token of these scopes; `null`: without a token. */
  post(message: unknown, scopes?: readonly string[] | null, headers?: Record<string, string>): Promise<Response>;
}

interface Settings {
  readonly options?: McpScopesOptions;
  readonly policy?: Partial<McpAuthOptions>;
  /** Mounted between `mcpAuth()` and `mcpScopes()`. */
  readonly before?: readonly Middleware[];
  /** Mounted between `mcpScopes()` and the server. */
  readonly after?: readonly Middleware[];
}

/** Creates an app with `mcpAuth()`, `mcpScopes()` and a server that records what reaches it. */
export function createScopedApp(
  rules: ScopeRules,
  { options, policy, before = [], after = [] }: Settings = {},
): ScopedApp {
  const issuer = createTestIssuer();
  const received: ScopedApp['received'] = [];
  const app = express().disable('x-powered-by');
  app.use(mcpAuth({ ...issuer.policy({ resource: 'https://mcp.example/mcp' }), ...policy } as McpAuthOptions));
  for (const middleware of before) app.use(middleware);
  app.use('/mcp', mcpScopes(rules, options), ...after);
  app.post('/mcp', async (req, res) => {
    received.push({ text: await text(req), body: req.body });
    res.json({ through: true });
  });
  app.use('/mcp', (req, res) => void res.json({ through: req.method }));
  return {
    app: app as unknown as RequestListener,
    received,
    post(message, scopes = [], headers = {}) {
      const token = scopes === null ? {} : { authorization: `Bearer ${issuer.token({ sub: 'alice', scopes })}` };
      return request(app as never)
        .post('/mcp')
        .set({ 'content-type': 'application/json', ...token, ...headers })
        .serialize((body) => body)
        .send((typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message)) as string);
    },
  };
}

export function callTool(name: unknown, id: string | number = 1) {
  return { jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: { path: '/tmp' } } };
}

export function readResource(uri: string, method = 'resources/read') {
  return { jsonrpc: '2.0', id: 1, method, params: { uri } };
}
