import request from 'supertest';
import { describe, expect, test } from 'vitest';
import type { ScopeRules } from '../../src/index.js';
import { METADATA_URL, parseChallenge } from '../support/protected-app.js';
import { callTool, createScopedApp, readResource } from '../support/scoped-app.js';

const RULES = {
  'tools/call': { '*': ['mcp:call'], delete_file: ['files:write'], 'report_*': ['reports:read'] },
  'prompts/get': { secret: ['prompts:secret'] },
  'resources/read': { 'file:///secret/*': ['files:secret'] },
  'logging/setLevel': ['admin'],
} satisfies ScopeRules;

const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
const getPrompt = (name: string) => ({ jsonrpc: '2.0', id: 1, method: 'prompts/get', params: { name } });

const cases: [what: string, message: unknown, scopes: string[], needed: string | undefined][] = [
  ['a method without a rule', ping, [], undefined],
  ['a tool under the star', callTool('echo'), ['mcp:call'], undefined],
  ['a tool under the star, without its scope', callTool('echo'), ['files:write'], 'mcp:call'],
  ['every rule that matches', callTool('delete_file'), ['mcp:call', 'files:write'], undefined],
  ['one rule of two', callTool('delete_file'), ['mcp:call'], 'mcp:call files:write'],
  ['the other rule of two', callTool('delete_file'), ['files:write'], 'mcp:call files:write'],
  ['a pattern', callTool('report_2026'), ['mcp:call', 'reports:read'], undefined],
  ['a pattern, without its scope', callTool('report_'), ['mcp:call'], 'mcp:call reports:read'],
  ['a name that only begins like the pattern', callTool('report'), ['mcp:call'], undefined],
  ['a prompt', getPrompt('secret'), [], 'prompts:secret'],
  ['a prompt without a rule', getPrompt('greeting'), [], undefined],
  ['a resource', readResource('file:///secret/a'), [], 'files:secret'],
  ['a resource without a rule', readResource('file:///public/a'), [], undefined],
  ['a rule for a whole method', { ...ping, method: 'logging/setLevel', params: { level: 'info' } }, [], 'admin'],
  ['a notification', { jsonrpc: '2.0', method: 'notifications/initialized' }, [], undefined],
  ['a call sent as a notification', { ...callTool('echo'), id: undefined }, [], 'mcp:call'],
  ['a response to the server', { jsonrpc: '2.0', id: 1, result: { method: 'tools/call' } }, [], undefined],
  ['a batch of calls that may be made', [callTool('a', 1), callTool('b', 2)], ['mcp:call'], undefined],
  [
    'a batch',
    [callTool('report_1', 1), ping, callTool('delete_file', 2)],
    ['mcp:call'],
    'mcp:call reports:read files:write',
  ],
];

test.each(cases)('the scopes that a caller needs for %s', async (_what, message, scopes, needed) => {
  const { post, received } = createScopedApp(RULES);
  const response = await post(message, scopes);
  expect(response.status).toBe(needed === undefined ? 200 : 403);
  expect(received).toEqual(needed === undefined ? [{ text: JSON.stringify(message), body: roundTrip(message) }] : []);
  if (needed !== undefined) expect(parseChallenge(response.headers['www-authenticate']).scope).toBe(needed);
});

test('a refusal is one challenge with everything that a client needs to request more scopes', async () => {
  const { post } = createScopedApp(RULES, { policy: { requiredScopes: ['mcp'] } });
  const response = await post(callTool('delete_file'), ['mcp', 'mcp:call']);
  const description = 'The token lacks a required scope for the tool delete_file';
  expect(response.status).toBe(403);
  expect(response.body).toEqual({ error: 'insufficient_scope', error_description: description });
  expect(response.headers['cache-control']).toBe('no-store');
  expect(parseChallenge(response.headers['www-authenticate'])).toEqual({
    scheme: 'Bearer',
    error: 'insufficient_scope',
    error_description: 'The token lacks a required scope',
    resource_metadata: METADATA_URL,
    scope: 'mcp mcp:call files:write',
  });
});

test('the refusal of a batch names each refused call once, and at most five', async () => {
  const { post } = createScopedApp(RULES);
  const some = await post([callTool('b', 1), callTool('a', 2), callTool('b', 3), readResource('file:///secret/x')]);
  expect(some.body.error_description).toBe(
    'The token lacks a required scope for the tool b, the tool a, the resource file:///secret/x',
  );
  const many = await post(Array.from({ length: 50 }, (_, i) => callTool(`t${i}`, i)));
  expect(many.body.error_description).toBe(
    'The token lacks a required scope for the tool t0, the tool t1, the tool t2, the tool t3, the tool t4 and others',
  );
});

test('a name from the request is shortened in the body', async () => {
  const { post } = createScopedApp(RULES);
  const response = await post(callTool(`a", scope="root" \\ é\u2028${'x'.repeat(500)}`));
  const challenge = parseChallenge(response.headers['www-authenticate']);
  expect(challenge.scope).toBe('mcp:call');
  expect(challenge.error_description).toBe('The token lacks a required scope');
  expect(response.body.error_description).toMatch(/^The token .* the tool a", scope="root" \\ \?\?x{79}\.\.\.$/);
});

test('the challenge uses the origin of the request if no resource is configured', async () => {
  const { post } = createScopedApp(RULES, {
    policy: { resourceMetadata: undefined, audiences: ['https://mcp.example/mcp'] },
  });
  const response = await post(callTool('a'));
  expect(parseChallenge(response.headers['www-authenticate']).resource_metadata).toMatch(
    /^http:\/\/127\.0\.0\.1:\d+\/\.well-known\/oauth-protected-resource$/,
  );
});

describe('a caller without a token', () => {
  const app = createScopedApp(RULES, { policy: { mode: 'optional' } });

  test('is asked to log in, for the scopes of the call', async () => {
    const response = await app.post(callTool('delete_file'), null);
    expect(response.status).toBe(401);
    expect(response.headers['www-authenticate']).toBe(
      `Bearer resource_metadata="${METADATA_URL}", scope="mcp:call files:write"`,
    );
    expect(response.body).toEqual({ error: 'unauthorized', error_description: 'JWT token required' });
  });

  test('may call a method that has no rule', async () => {
    expect((await app.post(ping, null)).status).toBe(200);
  });

  test('is refused in permissive mode too', async () => {
    const { post } = createScopedApp(RULES, { policy: { mode: 'permissive' } });
    expect((await post(callTool('echo'), null)).status).toBe(401);
  });
});

describe('implied scopes', () => {
  const implies = { root: ['admin'], admin: ['mcp:call', 'files:write'], 'files:write': ['files:read', 'admin'] };
  const { post } = createScopedApp(RULES, { options: { implies } });

  test.each([
    ['directly', 'admin', 200],
    ['through a third scope', 'root', 200],
    ['in a circle', 'files:write', 200],
    ['not upwards', 'files:read', 403],
  ])('%s: %s', async (_how, scope, status) => {
    expect((await post(callTool('delete_file'), [scope])).status).toBe(status);
  });
});

describe("onInsufficientScope: 'jsonRpcError'", () => {
  const { post } = createScopedApp(
    { ...RULES, 'tools/call': { ...RULES['tools/call'], never: () => false } },
    { options: { onInsufficientScope: 'jsonRpcError' }, policy: { mode: 'optional' } },
  );
  const errorFor = (id: unknown, message: string, reason: string, requiredScopes: string[]) => ({
    jsonrpc: '2.0',
    id,
    error: { code: -32003, message, data: { reason, requiredScopes } },
  });

  test('answers the request with a JSON-RPC error', async () => {
    const response = await post(callTool('delete_file', 'seven'), ['mcp:call']);
    expect(response.status).toBe(200);
    expect(response.headers['www-authenticate']).toBeUndefined();
    expect(response.headers['content-type']).toBe('application/json');
    const message = 'The token lacks a required scope for the tool delete_file';
    expect(response.body).toEqual(errorFor('seven', message, 'insufficient_scope', ['mcp:call', 'files:write']));
  });

  test('answers every request of a batch, and passes none on', async () => {
    const response = await post(
      [callTool('a', 1), { jsonrpc: '2.0', method: 'x' }, callTool('delete_file', 2)],
      ['mcp:call'],
    );
    const message = 'The token lacks a required scope for the tool delete_file';
    expect(response.body).toEqual(
      [1, 2].map((id) => errorFor(id, message, 'insufficient_scope', ['mcp:call', 'files:write'])),
    );
  });

  test('answers a denial too', async () => {
    const { body } = await post(callTool('never'), ['mcp:call']);
    expect(body).toEqual(errorFor(1, 'The caller may not use the tool never', 'call_denied', ['mcp:call']));
  });

  test('cannot answer a notification: that is a 403', async () => {
    expect((await post({ ...callTool('delete_file'), id: undefined })).status).toBe(403);
  });

  test('cannot answer an id that parsing has rounded: that is a 403', async () => {
    const message = JSON.stringify(callTool('delete_file')).replace('"id":1', '"id":9007199254740993');
    expect((await post(message)).status).toBe(403);
    expect((await post(message.replace('993', '991'))).status).toBe(200);
  });

  test('still asks a caller without a token to log in', async () => {
    expect((await post(callTool('echo'), null)).status).toBe(401);
  });
});

test.each(['get', 'head', 'delete', 'options'] as const)('%s has no message to check, and passes', async (verb) => {
  const { app } = createScopedApp({ 'tools/call': ['never'] }, { policy: { mode: 'optional' } });
  expect((await request(app)[verb]('/mcp')).status).toBe(200);
});

test.each(['put', 'patch'] as const)('%s may have a message, and is checked', async (verb) => {
  const { app } = createScopedApp({ 'tools/call': ['never'] }, { policy: { mode: 'optional' } });
  expect((await request(app)[verb]('/mcp').send(callTool('t'))).status).toBe(401);
});

test('a custom method may have a rule', async () => {
  const { post } = createScopedApp({ 'acme/run': ['acme'] });
  expect((await post({ jsonrpc: '2.0', id: 1, method: 'acme/run' })).status).toBe(403);
});

function roundTrip(message: unknown): unknown {
  return JSON.parse(JSON.stringify(message));
}
