import express from 'express';
import request from 'supertest';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type McpAuthOptions, mcpAuth, mcpAuthorization } from '../../src/index.js';
import { createTestIssuer, type TestIssuer } from '../../src/testing/index.js';

const RESOURCE = 'https://mcp.example/mcp';

function appWith(policy: McpAuthOptions) {
  const app = express().use(mcpAuth(policy), (req, res) => void res.json((req as { auth?: unknown }).auth));
  return (token: string) => request(app).get('/mcp').auth(token, { type: 'bearer' });
}

test('a policy accepts the API keys of its test issuer, also those made later', async () => {
  const issuer = createTestIssuer();
  const get = appWith(issuer.policy({ resource: RESOURCE, apiKeys: issuer.apiKeys }));
  const { status, body } = await get(issuer.apiKey({ subject: 'ci', scopes: ['read'] }));
  expect(status).toBe(200);
  expect(body).toMatchObject({ subject: 'ci', scopes: ['read'] });
  expect((await get(issuer.apiKey())).body).toMatchObject({ subject: 'test-user', scopes: [] });
  expect((await get(issuer.token())).status).toBe(200);
});

test('an API key has claims, for rules about apiKey', async () => {
  const issuer = createTestIssuer();
  const policy = issuer.policy({ resource: RESOURCE, apiKeys: issuer.apiKeys });
  const rules = mcpAuthorization({ rules: ['apiKey.group == "ops"'] });
  const app = express().use('/mcp', mcpAuth(policy), express.json(), rules, (_req, res) => void res.json('restarted'));
  const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'restart', arguments: {} } };
  const answerTo = async (key: string) =>
    (await request(app).post('/mcp').auth(key, { type: 'bearer' }).send(call)).body;
  expect(await answerTo(issuer.apiKey({ claims: { group: 'ops' } }))).toBe('restarted');
  expect(await answerTo(issuer.apiKey({ claims: { group: 'dev' } }))).toMatchObject({ error: expect.anything() });
});

test.each<[string, (issuer: TestIssuer) => unknown, string]>([
  ['a member of an API key', (issuer) => issuer.apiKey({ sub: 'a' } as never), 'apiKey(): option "sub" must be'],
  ['a member of a token', (issuer) => issuer.token({ subject: 'a' } as never), 'token(): option "subject" must be'],
  ['the scope', (issuer) => issuer.tokenFor('a', { scope: 'b' } as never), 'Did you mean "scopes"?'],
  ['scopes', (issuer) => issuer.token({ scopes: 'a' } as never), 'token(): option "scopes" must be an array of'],
  ['scopes of a key', (issuer) => issuer.apiKey({ scopes: 'a' } as never), 'apiKey(): option "scopes" must be'],
  [
    'the lifetime',
    (issuer) => issuer.token({ expiresInSeconds: '1h' } as never),
    'token(): option "expiresInSeconds" must be a number of seconds, but got "1h"',
  ],
  ['claims', (issuer) => issuer.expiredToken({ claims: [] } as never), 'expiredToken(): option "claims" must be'],
  ['the header', (issuer) => issuer.forgedToken({ header: 'JWT' } as never), 'forgedToken(): option "header" must be'],
  ['options', (issuer) => issuer.token('alice' as never), 'token(): option "options" must be an object'],
  [
    'a member of a tenant token',
    (issuer) => issuer.tenant('acme').token({ subject: 'a' } as never),
    'token(): option "subject" must be',
  ],
])('without TypeScript, %s that is wrong is refused', (_what, make, message) => {
  const issuer = createTestIssuer({ issuer: 'https://issuer.test/{tenantid}/v2.0' });
  issuer.policy({ resource: RESOURCE });
  expect(() => make(issuer)).toThrow(message);
});

test('keys of another test issuer, expired keys and keys without the option are refused', async () => {
  const issuer = createTestIssuer();
  const get = appWith(issuer.policy({ resource: RESOURCE, apiKeys: issuer.apiKeys }));
  expect((await get(createTestIssuer().apiKey())).status).toBe(401);
  const expired = await get(issuer.apiKey({ expiresInSeconds: -1 }));
  expect(expired.body.error_description).toBe('The token has expired');
  expect((await appWith(issuer.policy({ resource: RESOURCE }))(issuer.apiKey())).status).toBe(401);
});

test('a policy accepts the opaque tokens of its test issuer, which counts the calls', async () => {
  const issuer = createTestIssuer();
  await issuer.listen();
  onTestFinished(() => issuer.close());
  const get = appWith(issuer.policy({ resource: RESOURCE, introspection: issuer.introspection }));
  const token = issuer.opaqueToken({ sub: 'alice', scopes: ['read'], clientId: 'cli' });
  for (const _ of [1, 2]) {
    expect((await get(token)).body).toMatchObject({ subject: 'alice', scopes: ['read'], clientId: 'cli' });
  }
  expect(issuer.requests.introspection).toBe(1);
  const expired = await get(issuer.opaqueToken({ expiresInSeconds: -60 }));
  expect(expired.body.error_description).toBe('The token is not active: it is unknown, expired or revoked');
  expect((await get(issuer.opaqueToken({ claims: { aud: 'x' } }))).status).toBe(401);
  const { endpoint: _, ...discovered } = issuer.introspection;
  const other = appWith(issuer.policy({ resource: RESOURCE, introspection: discovered }));
  expect((await other(token)).status).toBe(200);
  const wrong = { ...issuer.introspection, clientSecret: 'wrong' };
  expect((await appWith(issuer.policy({ resource: RESOURCE, introspection: wrong }))(token)).status).toBe(503);
});

test('introspection needs a listening issuer, and says so', () => {
  const issuer = createTestIssuer();
  issuer.policy({ resource: RESOURCE });
  const message = 'createTestIssuer(): call listen() first: introspection is a request over HTTP.';
  expect(() => issuer.introspection).toThrow(message);
  expect(() => issuer.opaqueToken()).toThrow(message);
});

test.each([10, 600, 3_600, 86_400])(
  'tokens for %i seconds that are made after their user was revoked are accepted',
  async (expiresInSeconds) => {
    onTestFinished(() => void vi.useRealTimers());
    vi.useFakeTimers({ toFake: ['Date'] });
    const issuer = createTestIssuer();
    await issuer.listen();
    onTestFinished(() => issuer.close());
    const { introspection } = issuer;
    const auth = mcpAuth(issuer.policy({ resource: RESOURCE, introspection, clockToleranceSeconds: 0 }));
    const app = express().use(auth, (_req, res) => void res.end());
    const statusesOf = (tokens: readonly string[]) =>
      Promise.all(tokens.map(async (token) => (await request(app).get('/mcp').auth(token, { type: 'bearer' })).status));
    const options = { sub: 'alice', expiresInSeconds };
    const before = [issuer.token(options), issuer.opaqueToken(options)];
    expect(await statusesOf(before)).toEqual([200, 200]);
    auth.revoke({ subject: 'alice', issuer: issuer.issuer });
    vi.setSystemTime(Date.now() + 2_000);
    expect(await statusesOf(before)).toEqual([401, 401]);
    expect(await statusesOf([issuer.token(options), issuer.opaqueToken(options)])).toEqual([200, 200]);
  },
);
