import { expect, test } from 'vitest';
import { inspectToken } from '../../src/auth/inspect-token.js';
import { resolveAuth } from '../../src/policy/resolve-auth.js';
import { makeKey } from '../support/api-keys.js';
import { goodToken, lineOf, replyingWhere, startFaultyServer } from '../support/faulty-server.js';
import { good, signer } from '../support/good-policy.js';
import { startIntrospectionServer } from '../support/introspection-server.js';
import { claims } from '../support/protected-app.js';

async function codesOf(token: string, changes: Record<string, unknown>): Promise<string[]> {
  const { faults } = await inspectToken(token, resolveAuth('test', { ...good, ...changes } as never));
  return faults.map(({ error }) => error.code);
}

test('the doctor finds in a credential that is no JWT what mcpAuth() finds', async () => {
  const server = await startIntrospectionServer();
  const { introspection } = server;
  const { key, entry } = makeKey();
  expect(await codesOf(key, { apiKeys: [entry] })).toEqual([]);
  expect(await codesOf(makeKey().key, { apiKeys: [entry] })).toEqual(['unknown_api_key']);
  expect(await codesOf(server.issue(), { introspection })).toEqual([]);
  expect(await codesOf('unknown', { introspection })).toEqual(['inactive_token']);
  expect(await codesOf(server.issue({ aud: 'x' }), { introspection })).toEqual(['wrong_audience']);
  expect(await codesOf('unknown', {})).toEqual(['opaque_token']);
  expect(await codesOf(signer.sign(claims()), { introspection })).toEqual([]);
  await server.goDown();
  expect(await codesOf(server.issue(), { introspection })).toEqual(['introspection_unavailable']);
});

test('where the policy has API keys and no issuer, a JWT is refused by mcpAuth() and explained by the doctor', async () => {
  const { entry } = makeKey();
  const policy = ({ resource }: { resource: string }) => ({
    resourceMetadata: { resource },
    ...{ issuer: undefined, jwks: undefined, issuers: [], apiKeys: [entry] },
  });
  const server = await startFaultyServer({ policy });
  expect((await server.walk(goodToken(server), 'file')).map(lineOf).slice(-2)).toEqual([
    expect.stringContaining('✗ token: refused with 401: '),
    expect.stringContaining('✗ token iss: a JWT, and the policy accepts the JWTs of no issuer. '),
  ]);
});

test.each([
  [200, '✓ token: accepted (200)'],
  [
    401,
    '✗ token: refused with 401: x. A client with this token logs in again, or gives up. The lines below say what the doctor cannot check: compare the message with the log of the server.',
  ],
])('a token that the doctor cannot introspect is not called wrong: the server answers %i', async (status, line) => {
  const { introspection, issue, goDown } = await startIntrospectionServer();
  const headers = { 'www-authenticate': 'Bearer error="invalid_token", error_description="x"' };
  const reply = status === 200 ? { status, body: '{"jsonrpc":"2.0","id":1,"result":{}}' } : { status, headers };
  const server = await startFaultyServer({
    policy: () => ({ introspection }),
    before: replyingWhere(reply, (authorization) => authorization !== undefined),
  });
  const token = issue();
  await goDown();
  const url = new URL(introspection.endpoint);
  expect((await server.walk(token, 'file')).map(lineOf).slice(-2)).toEqual([
    line,
    `! token form: not checked: introspection_unavailable (POST ${url.href} failed: ECONNREFUSED). The authorization server cannot check the token at the moment. See introspection_unavailable in docs/errors.md; the doctor may be on another network.`,
  ]);
});
