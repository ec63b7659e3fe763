import { expect, onTestFinished, test } from 'vitest';
import { mcpAdmin } from '../../src/admin/mcp-admin.js';
import {
  type Middleware,
  mcpAuth,
  mcpCalls,
  mcpHttpBackend,
  mcpLimits,
  mcpScopes,
  mcpStdioBackend,
} from '../../src/index.js';
import { createTestIssuer } from '../../src/testing/index.js';
import { serve, unreachableUrl } from '../support/loopback-server.js';
import { call, post } from '../support/mcp-requests.js';
import { NODE, SCRIPTED } from '../support/stdio-bridge.js';
import { collectUncaught } from '../support/uncaught-errors.js';

const issuer = createTestIssuer();
const policy = (more = {}) => issuer.policy({ resource: 'https://mcp.example.com/mcp', ...more });

function closing<Backend extends Middleware & { close(): unknown }>(backend: Backend): Backend {
  onTestFinished(async () => void (await backend.close()));
  return backend;
}

const chained =
  (first: Middleware, second: Middleware): Middleware =>
  (req, res, next) =>
    first(req, res, (error) => (error === undefined ? second(req, res, next) : next(error)));

/** Each works on after its handler has returned: it waits for a body, or for a token to be verified. */
const MIDDLEWARES: Readonly<Record<string, () => Middleware | Promise<Middleware>>> = {
  'mcpAuth()': () => mcpAuth(policy()),
  'mcpCalls()': () => mcpCalls({ onCall: () => undefined }),
  'mcpScopes()': () => chained(mcpAuth(policy({ mode: 'optional' })), mcpScopes({ 'tools/call': { echo: ['a'] } })),
  'mcpLimits()': () => mcpLimits([{ per: () => 'everyone', tokens: 1, refill: 1, every: '1h' }]),
  'mcpStdioBackend()': () => closing(mcpStdioBackend({ command: NODE, args: [SCRIPTED] })),
  'mcpHttpBackend()': async () => closing(mcpHttpBackend({ url: await unreachableUrl() })),
  'mcpAdmin()': () => closing(mcpAdmin({ authorize: 'loopback', backends: {} })),
};

test.each(Object.keys(MIDDLEWARES))(
  '%s: a failure to answer whose error handler fails too cuts the answer off, and ends nothing else',
  async (name) => {
    const uncaught = collectUncaught();
    const middleware = (await MIDDLEWARES[name]?.()) as Middleware;
    const url = await serve((req, res) => {
      res.writeHead = () => {
        throw new RangeError('the listener failed');
      };
      middleware(req, res, (error) => {
        throw error ?? new Error('no one else answers');
      });
    });
    const headers = name === 'mcpAuth()' ? { authorization: `Bearer ${issuer.token().slice(0, -3)}abc` } : {};
    for (let i = 0; i < 2; i++) await expect(post(url, call(1, 'echo'), headers)).rejects.toThrow();
    expect(uncaught).toEqual([]);
  },
);

test('an answer that is complete reaches its client, however slow, although the application throws after it', async () => {
  const uncaught = collectUncaught();
  const observed = mcpCalls({ onCall: () => undefined });
  const length = 8_000_000;
  const url = await serve((req, res) =>
    observed(req, res, (error) => {
      if (error !== undefined) throw error;
      res.writeHead(200).end(Buffer.alloc(length, 'x'));
      throw new Error('after the answer');
    }),
  );
  expect((await (await post(url, call(1, 'echo'))).arrayBuffer()).byteLength).toBe(length);
  expect(uncaught).toEqual([]);
});
