import { afterAll, expect, test } from 'vitest';
import { altered } from '../support/altered.js';
import { endPrograms, ROOT, startNode } from '../support/program.js';
import { createProtectedApp, RESOURCE } from '../support/protected-app.js';

afterAll(endPrograms);

/** The output of server.mjs. */
interface BetterAuth {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly token: string;
  readonly refreshToken: string;
  readonly revoked: string;
  readonly withoutResource: string;
}

async function start(kind: 'opaque' | 'jwt'): Promise<BetterAuth> {
  const [line] = await startNode([`${ROOT}__tests__/better-auth/server.mjs`, kind, RESOURCE]).says(/^\{.*\}$/m);
  return JSON.parse(line) as BetterAuth;
}

const INACTIVE = 'The token is not active: it is unknown, expired or revoked';

test('opaque tokens of Better Auth pass by introspection, whose endpoint its metadata names', async () => {
  const { issuer, clientId, clientSecret, token, refreshToken, revoked, withoutResource } = await start('opaque');
  const { send } = createProtectedApp({ issuer, jwks: undefined, introspection: { clientId, clientSecret } });
  const { status, body } = await send(token);
  expect(status).toBe(200);
  expect(body).toMatchObject({ clientId, scopes: ['openid', 'mcp:read', 'offline_access'], payload: { iss: issuer } });
  expect(body.subject).toEqual(expect.any(String));
  expect(body.payload.aud).toContain(RESOURCE);
  const refusals = [
    ['an unknown token', altered(token, 5), INACTIVE],
    ['a revoked token', revoked, INACTIVE],
    ['a token that was asked for without a resource', withoutResource, 'The token is meant for another audience'],
  ] as const;
  for (const [name, refused, description] of refusals) {
    const response = await send(refused);
    expect([response.status, response.body.error_description], name).toEqual([401, description]);
  }
  expect((await send(refreshToken)).status, 'a refresh token').toBe(401);
  const wrong = { clientId, clientSecret: 'wrong' };
  expect((await createProtectedApp({ issuer, jwks: undefined, introspection: wrong }).send(token)).status).toBe(503);
});

test('JWTs of Better Auth pass by their signature, beside opaque ones', async () => {
  const { issuer, clientId, clientSecret, token, withoutResource } = await start('jwt');
  const policy = { issuer, jwks: { url: `${issuer}/jwks` }, introspection: { clientId, clientSecret } };
  const { send } = createProtectedApp(policy);
  const { status, body } = await send(token);
  expect(status).toBe(200);
  expect(body).toMatchObject({ clientId, header: { alg: 'EdDSA' }, payload: { iss: issuer } });
  expect((await send(altered(token, -20))).body.error_description).toBe('The token has an invalid signature');
  // Better Auth issues an opaque token where the client names no resource.
  expect((await send(withoutResource)).body.error_description).toBe('The token is meant for another audience');
});
