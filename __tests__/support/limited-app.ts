import express, { type RequestHandler } from 'express';
import request, { type Response } from 'supertest';
import { type Limit, type McpLimitsOptions, type Middleware, mcpAuth, mcpLimits } from '../../src/index.js';
import { createTestIssuer } from '../../src/testing/index.js';

const issuer = createTestIssuer();
const policy = issuer.policy({ resource: 'https://mcp.example/mcp', mode: 'optional' });

interface Settings extends McpLimitsOptions {
  /** Mounted between `mcpAuth()` and `mcpLimits()`. */
  readonly before?: readonly (Middleware | RequestHandler)[];
}

/** An app behind `mcpAuth()` in optional mode and `mcpLimits()` that answers with the body it receives. */
export function createLimitedApp(limits: readonly Limit[], { before = [], ...options }: Settings = {}) {
  const app = express().set('trust proxy', true);
  app.use(mcpAuth(policy), ...(before as RequestHandler[]), mcpLimits(limits, options));
  app.use(express.json(), (req, res) => void res.json({ body: req.body ?? null }));
  app.use(
    ((error, _req, res, _next) => void res.status(500).json({ failed: error.message })) as express.ErrorRequestHandler,
  );
  return app;
}

export type Caller = Partial<{ sub: string; clientId: string; claims: Record<string, unknown> }> | { address: string };

export const headersOf = (caller: Caller): Record<string, string> =>
  'address' in caller ? { 'x-forwarded-for': caller.address } : { authorization: `Bearer ${issuer.token(caller)}` };

export const tool = (name: string, id: unknown = 1) => ({ jsonrpc: '2.0', id, method: 'tools/call', params: { name } });
export const ping = { jsonrpc: '2.0', id: 7, method: 'ping' };

export async function post(app: express.Express, caller: Caller, message: unknown = ping): Promise<Response> {
  const body = typeof message === 'string' ? message : JSON.stringify(message);
  return request(app)
    .post('/mcp')
    .set({ 'content-type': 'application/json', ...headersOf(caller) })
    .serialize((text) => text)
    .send(body as never);
}

/** The statuses of these requests, one after the other. */
export async function statuses(app: express.Express, requests: readonly [Caller, unknown?][]): Promise<number[]> {
  const seen: number[] = [];
  for (const [caller, message] of requests) seen.push((await post(app, caller, message)).status);
  return seen;
}

export const hourly = (per: Limit['per'], tokens: number): Limit => ({ per, tokens, refill: 1, every: '1h' });
export const [ada, bob] = [{ sub: 'ada' }, { sub: 'bob' }];
export const [home, work] = [{ address: '203.0.113.1' }, { address: '203.0.113.2' }];
