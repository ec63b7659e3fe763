import { expect, test } from 'vitest';
import { inspectToken } from '../../src/auth/inspect-token.js';
import { resolveAuth } from '../../src/policy/resolve-auth.js';
import { makeKey } from '../support/api-keys.js';
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
