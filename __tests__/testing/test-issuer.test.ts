import express from 'express';
import request from 'supertest';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type McpAuthOptions, mcpAuth, protectedResourceMetadata } from '../../src/index.js';
import { createTestIssuer, type TestIssuer } from '../../src/testing/index.js';

const RESOURCE = 'https://mcp.example/mcp';

function appWith(policy: McpAuthOptions) {
  const app = express().use(mcpAuth(policy), protectedResourceMetadata(policy));
  app.get('/mcp', (req, res) => {
    res.json((req as { auth?: unknown }).auth);
  });
  return (token?: string) => {
    const call = request(app).get('/mcp');
    return token === undefined ? call : call.auth(token, { type: 'bearer' });
  };
}

async function listening(): Promise<TestIssuer> {
  const issuer = createTestIssuer();
  await issuer.listen();
  onTestFinished(() => issuer.close());
  return issuer;
}

describe('without a network', () => {
  const issuer = createTestIssuer();
  const get = appWith(issuer.policy({ resource: RESOURCE }));

  test('a token has the given claims', async () => {
    const response = await get(issuer.token({ sub: 'alice', scopes: ['read', 'write'], clientId: 'cli' }));
    expect(response.status).toBe(200);
    expect(response.body).toMatchObject({
      clientId: 'cli',
      scopes: ['read', 'write'],
      payload: { sub: 'alice', iss: 'https://issuer.test', aud: RESOURCE },
    });
  });

  test('a further claim overrides the known ones, and undefined removes one', async () => {
    const claims = { sub: 'bob', client_id: undefined, tenant: 'acme' };
    const { body } = await get(issuer.token({ claims }));
    expect(body.payload).toMatchObject({ sub: 'bob', tenant: 'acme' });
    expect(body.clientId).toBe('');
  });

  test.each([
    ['no token', () => undefined, 'JWT token required'],
    ['an expired token', () => issuer.expiredToken(), 'The token has expired'],
    ['a forged token', () => issuer.forgedToken(), 'The token has an invalid signature'],
    ['a token for another audience', () => issuer.tokenFor('other'), 'The token is meant for another audience'],
    ['a token of another issuer', () => foreignToken(), 'The issuer of the token is not accepted here'],
    ['an ID token', () => issuer.token({ header: { typ: 'id+jwt' } }), 'The token is not an access token'],
    ['a malformed claim', () => issuer.token({ claims: { exp: 'soon' } }), 'The token has a claim of the wrong type'],
  ])('%s is refused for this reason', async (_name, make, description) => {
    const response = await get(make());
    expect(response.status).toBe(401);
    expect(response.body.error_description).toBe(description);
  });

  function foreignToken() {
    return createTestIssuer({ issuer: 'https://other.test' }).tokenFor(RESOURCE);
  }
});

test('a policy takes every other option, and both middlewares take the policy', async () => {
  const issuer = createTestIssuer();
  const get = appWith(issuer.policy({ resource: RESOURCE, requiredScopes: ['read'], audiences: ['api'] }));
  expect((await get(issuer.token({ scopes: ['read'] }))).body.payload.aud).toBe('api');
  expect((await get(issuer.token())).status).toBe(403);
});

describe('tenants', () => {
  const TEMPLATE = 'https://issuer.test/{tenantid}/v2.0';

  test.each([false, true])('tokens of each tenant are accepted, listening: %s', async (listens) => {
    const issuer = createTestIssuer({ issuer: TEMPLATE });
    if (listens) await issuer.listen();
    onTestFinished(() => issuer.close());
    const get = appWith(issuer.policy({ resource: RESOURCE, tenants: ['acme', 'globex'] }));
    for (const name of ['acme', 'globex']) {
      const tenant = issuer.tenant(name);
      const { status, body } = await get(tenant.token({ sub: 'alice', claims: { role: 'admin' } }));
      expect([status, body.payload]).toEqual([
        200,
        expect.objectContaining({ iss: tenant.issuer, tid: name, role: 'admin' }),
      ]);
      expect(tenant.issuer).toMatch(new RegExp(`/${name}`));
      expect((await get(tenant.expiredToken())).body.error_description).toBe('The token has expired');
      expect((await get(tenant.forgedToken())).body.error_description).toBe('The token has an invalid signature');
      expect((await get(tenant.tokenFor('other'))).body.error_description).toBe(
        'The token is meant for another audience',
      );
    }
    expect((await get(issuer.tenant('initech').token())).status).toBe(401);
    expect((await get(issuer.token())).status).toBe(401);
  });

  test('an issuer without {tenantid} has none, and says what to write', () => {
    expect(() => createTestIssuer().tenant('acme')).toThrow(
      'createTestIssuer(): write createTestIssuer({ issuer: "https://issuer.test/{tenantid}/v2.0" }) for tenant().',
    );
  });
});

test('rotated keys take effect in existing policies', async () => {
  const issuer = createTestIssuer();
  const get = appWith(issuer.policy({ resource: RESOURCE }));
  const before = issuer.token();
  expect((await get(before)).status).toBe(200);
  issuer.rotateKeys();
  expect((await get(issuer.token())).status).toBe(200);
  const refused = await get(before);
  expect(refused.status).toBe(401);
  expect(refused.body.error_description).toBe('The token is signed with an unknown key');
});

test('a listening issuer serves its key set once, and its metadata names itself', async () => {
  const issuer = await listening();
  const get = appWith(issuer.policy({ resource: RESOURCE }));
  await get(issuer.token());
  await get(issuer.token({ sub: 'bob' }));
  expect(issuer.requests).toEqual({ jwks: 1, metadata: 0, introspection: 0 });
  const metadata = await fetch(`${issuer.issuer}/.well-known/oauth-authorization-server`);
  expect(await metadata.json()).toMatchObject({ issuer: issuer.issuer });
  expect(issuer.requests).toEqual({ jwks: 1, metadata: 1, introspection: 0 });
});

test('a token signed with a new key causes the key set to be fetched again', async () => {
  const issuer = await listening();
  const get = appWith(issuer.policy({ resource: RESOURCE }));
  await get(issuer.token());
  issuer.rotateKeys();
  expect((await get(issuer.token())).status).toBe(200);
  expect(issuer.requests.jwks).toBe(2);
});

test('a closed issuer is answered 503, not 401', async () => {
  const issuer = await listening();
  const get = appWith(issuer.policy({ resource: RESOURCE }));
  await issuer.close();
  expect((await get(issuer.token())).status).toBe(503);
  const name = issuer.issuer;
  expect(await issuer.listen(), 'back again').toBe(name);
  const again = appWith(issuer.policy({ resource: RESOURCE }));
  expect((await again(issuer.token())).status).toBe(200);
});

test('wrong uses are refused, with advice', async () => {
  const issuer = createTestIssuer();
  expect(() => issuer.token()).toThrow('call policy() first, or name the audience with tokenFor()');
  issuer.policy({ resource: RESOURCE });
  await expect(issuer.listen()).rejects.toThrow('call listen() before policy() and token()');
  expect(() => createTestIssuer({ isuer: 'x' } as never)).toThrow('Did you mean "issuer"?');
  expect(() => createTestIssuer({ issuer: '' })).toThrow('option "issuer" must be a non-empty string, but got ""');
});
