import type { RequestListener } from 'node:http';
import { text } from 'node:stream/consumers';
import express from 'express';
import request, { type Response } from 'supertest';
import {
  type McpAuthOptions,
  type McpAuthorizationOptions,
  type Middleware,
  mcpAuth,
  mcpAuthorization,
} from '../../src/index.js';
import { createTestIssuer } from '../../src/testing/index.js';

export interface RuledApp {
  readonly app: RequestListener;
  /** The bodies that reached the server. */
  readonly received: string[];
  /** POSTs a message, or a text as it is, with a token of these claims; `null`: without a token. */
  post(message: unknown, claims?: Claims | null, headers?: Record<string, string>): Promise<Response>;
}

type Claims = Readonly<Record<string, unknown>> & { readonly scopes?: readonly string[] };

interface Settings {
  readonly policy?: Partial<McpAuthOptions>;
  /** Mounted between `mcpAuth()` and `mcpAuthorization()`. */
  readonly before?: readonly Middleware[];
  /** Mounted between `mcpAuthorization()` and the server. */
  readonly after?: readonly Middleware[];
  /** The path on which it is mounted. */
  readonly path?: string;
  /** Makes Express believe `X-Forwarded-For`. */
  readonly trustProxy?: boolean;
}

/** Creates an app with `mcpAuth()`, `mcpAuthorization()` and a server that records what reaches it. Tokens are optional. */
export function createRuledApp(
  options: McpAuthorizationOptions,
  { policy, before = [], after = [], path = '/mcp', trustProxy = false }: Settings = {},
): RuledApp {
  const issuer = createTestIssuer();
  const received: string[] = [];
  const app = express().disable('x-powered-by').set('trust proxy', trustProxy);
  const trusted = { ...issuer.policy({ resource: 'https://mcp.example/mcp' }), mode: 'optional', ...policy };
  app.use(mcpAuth(trusted as McpAuthOptions), ...before);
  app.use(path, mcpAuthorization(options), ...after);
  app.post(path, async (req, res) => {
    received.push(await text(req));
    res.json({ through: true });
  });
  return {
    app: app as unknown as RequestListener,
    received,
    post(message, claims = {}, headers = {}) {
      const { scopes = [], ...others } = claims ?? {};
      const token = issuer.token({ sub: 'alice', scopes, claims: others });
      return request(app as never)
        .post(path)
        .set({ 'content-type': 'application/json', ...(claims && { authorization: `Bearer ${token}` }), ...headers })
        .serialize((body) => body)
        .send((typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message)) as string);
    },
  };
}

/** A tool call with these arguments. */
export function toolCall(name: unknown, args: unknown = {}, id: string | number = 1) {
  return { jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args } };
}
