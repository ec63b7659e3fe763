import { afterAll, beforeAll, expect, test } from 'vitest';
import { createIntrospection } from '../../src/auth/credential/introspection.js';
import type { McpAuthOptions } from '../../src/index.js';
import { resolveAuth } from '../../src/policy/resolve-auth.js';
import { replay } from '../support/client-replay.js';
import { CLI, endPrograms, ROOT, startNode } from '../support/program.js';
import { REAL_CLIENTS } from '../support/real-clients.js';
import { atKeycloak } from './fill-in.js';
import { SERVER_CLIENT } from './keycloak-server.js';

const RESOURCE = 'http://localhost:3000/mcp';
const ISSUER = 'http://localhost:7080/realms/mcp';

beforeAll(async () => {
  const gateway = startNode([CLI, '-f', `${ROOT}samples/keycloak/config.yaml`, '--host', '127.0.0.1']);
  await gateway.says(/Listening on 127\.0\.0\.1:3000/);
});
afterAll(endPrograms);

// Keycloak's access tokens are JWTs, which mcpAuth() verifies by their signature, so it never asks Keycloak about one. This test
// compares Keycloak's endpoint with the one that mcpAuth() expects.
test('Keycloak answers introspection requests: an active token, and an unknown one', async () => {
  const client = Object.values(REAL_CLIENTS)[0] as (typeof REAL_CLIENTS)[keyof typeof REAL_CLIENTS];
  const { tokens } = await replay({ client, resource: RESOURCE, fillIn: atKeycloak });
  const policy = resolveAuth('test', {
    issuer: ISSUER,
    audiences: ['mcp_proxy'],
    introspection: SERVER_CLIENT,
  } as McpAuthOptions);
  if (policy.introspection === undefined) throw new Error('no introspection');
  const introspect = createIntrospection(policy.introspection, policy);
  const auth = await introspect(tokens.body.access_token as string);
  expect(auth?.payload).toMatchObject({ iss: ISSUER, preferred_username: 'alice', typ: 'Bearer' });
  expect(auth?.subject).toEqual(expect.any(String));
  expect(await introspect('unknown')).toBeUndefined();
  const wrong = { ...policy.introspection, clientSecret: 'wrong' };
  await expect(createIntrospection(wrong, policy)('unknown')).rejects.toMatchObject({
    code: 'introspection_unavailable',
  });
});
