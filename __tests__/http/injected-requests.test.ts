import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import fastify from 'fastify';
import { expect, onTestFinished, test } from 'vitest';
import {
  type Middleware,
  mcpAuth,
  mcpAuthorization,
  mcpCalls,
  mcpHttpBackend,
  mcpLimits,
  mcpScopes,
  mcpStdioBackend,
} from '../../src/index.js';
import { createTestIssuer } from '../../src/testing/index.js';
import { call, initialize, JSON_HEADERS } from '../support/mcp-requests.js';
import { startRecordingTarget } from '../support/recording-target.js';
import { NODE, SCRIPTED } from '../support/stdio-bridge.js';

const issuer = createTestIssuer();
const RESOURCE = 'https://mcp.example/mcp';
const HEADERS = { ...JSON_HEADERS, authorization: `Bearer ${issuer.tokenFor(RESOURCE, { scopes: ['a'] })}` };

const echo: Middleware = async (req, res) => {
  const { body } = req as { body?: unknown };
  res.end(JSON.stringify({ text: await text(req), body }));
};

/** An app of Fastify with `mcpAuth()` and other middlewares, which gets its requests without a socket, as with `@fastify/aws-lambda`. */
function createInjected(...middlewares: Middleware[]) {
  const app = fastify();
  onTestFinished(() => app.close());
  for (const middleware of [mcpAuth(issuer.policy({ resource: RESOURCE })), ...middlewares])
    app.addHook('onRequest', (req, reply, done) => middleware(req.raw, reply.raw, done));
  return (payload: string | Readable, headers: Record<string, string> = {}) =>
    app.inject({ method: 'POST', url: '/mcp', headers: { ...HEADERS, ...headers }, payload });
}

const MESSAGE = JSON.stringify(call(1, 'echo', { number: 1 }));
const SCOPES = { 'tools/call': { '*': ['a'] } };

test.each<[string, () => Middleware]>([
  ['mcpScopes()', () => mcpScopes(SCOPES)],
  ['mcpAuthorization()', () => mcpAuthorization({ rules: ["mcp.tool.name == 'echo'"] })],
  ['mcpCalls()', () => mcpCalls()],
  ['mcpLimits()', () => mcpLimits([{ per: 'user', tokens: 60, refill: 60, every: '1m' }])],
])('%s reads a body that comes from no socket, and leaves it to the next reader', async (_name, create) => {
  const inject = createInjected(create(), echo);
  const answer = await inject(MESSAGE);
  expect([answer.statusCode, answer.json()]).toMatchObject([200, { text: MESSAGE }]);
});

test('mcpScopes() decides on a body that comes from no socket', async () => {
  const inject = createInjected(mcpScopes({ 'tools/call': { '*': ['b'] } }), echo);
  expect((await inject(MESSAGE)).statusCode).toBe(403);
});

const UNUSABLE = { reason: 'unusable_body' };

test.each([
  ['longer than its length', MESSAGE, { 'content-length': '2' }, 400, UNUSABLE],
  ['shorter than its length', MESSAGE, { 'content-length': '2000' }, 400, UNUSABLE],
  ['longer than the limit', MESSAGE, { 'content-length': '20' }, 413, { reason: 'body_too_large' }],
  ['over the limit as it says', MESSAGE.padEnd(100), {}, 413, { reason: 'body_too_large' }],
])('a body that comes from no socket is refused at once: %s', async (_what, payload, headers, status, data) => {
  const inject = createInjected(mcpScopes(SCOPES, { maxBodyBytes: status === 413 ? 50 : 5_000 }), echo);
  const answer = await inject(payload, headers);
  expect([answer.statusCode, answer.json()]).toMatchObject([status, { error: { data } }]);
});

test.each([
  ['without a length', {}],
  ['with its length', { 'content-length': String(MESSAGE.length) }],
])('a body that comes from a stream %s passes', async (_what, headers: Record<string, string>) => {
  const inject = createInjected(mcpScopes(SCOPES), echo);
  const answer = await inject(Readable.from([MESSAGE.slice(0, 5), MESSAGE.slice(5)]), headers);
  expect([answer.statusCode, answer.json()]).toMatchObject([200, { body: JSON.parse(MESSAGE) }]);
});

test('rules and mcpStdioBackend() answer requests that come from no socket', async () => {
  const backend = mcpStdioBackend({ command: NODE, args: [SCRIPTED] });
  onTestFinished(() => backend.close());
  const inject = createInjected(mcpScopes(SCOPES), backend);
  const answer = await inject(JSON.stringify(initialize()));
  expect(answer.statusCode).toBe(200);
  const called = await inject(MESSAGE, { 'mcp-session-id': String(answer.headers['mcp-session-id']) });
  expect(called.payload).toContain('number');
});

test('mcpHttpBackend() forwards a long body that comes from no socket', async () => {
  const target = await startRecordingTarget(({ body }, res) => res.end(JSON.stringify(body.length)));
  const backend = mcpHttpBackend({ url: target.url });
  onTestFinished(() => backend.close());
  const inject = createInjected(backend);
  const long = JSON.stringify(call(1, 'echo', { text: 'x'.repeat(200_000) }));
  expect((await inject(long)).payload).toBe(String(long.length));
});
