import express, { type RequestHandler } from 'express';
import request, { type Response } from 'supertest';
import { describe, expect, test } from 'vitest';
import { createMemoryStore, getAuth, type McpAuth, type McpAuthOptions, mcpAuth, type Store } from '../../src/index.js';
import { makeKey } from '../support/api-keys.js';
import { bound, DPOP, jkt, plain, proof, signer } from '../support/dpop-proofs.js';
import { claims, ISSUER, RESOURCE } from '../support/protected-app.js';
import { createSigner } from '../support/signer.js';

const TENANTS = 'https://mcp.example/{tenant}/mcp';

const policyOf = (more: object = {}): McpAuthOptions =>
  ({
    issuer: ISSUER,
    jwks: { keys: [signer.jwk] },
    resourceMetadata: { resource: RESOURCE },
    senderConstraint: DPOP.accept,
    ...more,
  }) as McpAuthOptions;

/** An app behind these middlewares, in this order, which answers with the caller and the credentials that are left. */
function appBehind(...middlewares: readonly (McpAuth | RequestHandler)[]) {
  const app = express();
  for (const middleware of middlewares) app.use(middleware as RequestHandler);
  app.use((req, res) => {
    const left = Object.keys(req.headers).filter((name) => /^(?:authorization|dpop|x-api-key|x-token)$/.test(name));
    res.json({ user: getAuth(req)?.subject ?? getAuth(req)?.clientId ?? null, left });
  });
  return app;
}

type Headers = Record<string, string>;
const get = (app: express.Express, headers: Headers, path = '/mcp'): Promise<Response> =>
  Promise.resolve(request(app).get(path).set(headers));
const withProof = (once = proof()): Headers => ({ authorization: `DPoP ${bound}`, dpop: once });
const REPLAYED = 'The DPoP proof has been used before';
const bearer = (token = plain): Headers => ({ authorization: `Bearer ${token}` });

describe('a DPoP proof, if mcpAuth() is mounted twice', () => {
  const twice = (auth: McpAuth) => [auth, auth] as const;
  const two = (more: object = {}) => [mcpAuth(policyOf(more)), mcpAuth(policyOf(more))] as const;

  test.each<[string, () => readonly [McpAuth, McpAuth]]>([
    ['the same one', () => twice(mcpAuth(policyOf()))],
    ['the same one, with a store', () => twice(mcpAuth(policyOf({ store: createMemoryStore() })))],
    ['two of one policy', () => [policyOf()].flatMap((policy) => [mcpAuth(policy), mcpAuth(policy)]) as never],
    ['two policies', () => two()],
    ['two policies with one store', () => two({ store: createMemoryStore() })],
    [
      'two policies that take the token off only at last',
      () => [mcpAuth(policyOf()), two({ stripAuthorization: true })[0]],
    ],
  ])('passes both, and is refused in another request: %s', async (_case, create) => {
    const [first, second] = create();
    const app = appBehind(first, second);
    const once = proof();
    expect((await get(app, withProof(once))).body.user).toBe('alice');
    for (const each of [app, appBehind(first), appBehind(second), appBehind(second, first)]) {
      const { status, body } = await get(each, withProof(once));
      expect([status, body.error_description]).toEqual([401, REPLAYED]);
    }
    expect((await get(app, withProof())).status).toBe(200);
  });

  test.each<[string, object]>([
    ['its own memory', {}],
    ['a store that both have', { store: createMemoryStore() }],
  ])('that only the second has seen before is refused by it, in %s', async (_case, more) => {
    const [first, second] = two(more);
    const once = proof();
    expect((await get(appBehind(second), withProof(once))).status).toBe(200);
    expect((await get(appBehind(first, second), withProof(once))).body.error_description).toBe(REPLAYED);
  });

  test.each<[string, () => McpAuth]>([
    [
      'another origin',
      () => mcpAuth(policyOf({ resourceMetadata: { resource: 'https://other.example/mcp' }, audiences: [RESOURCE] })),
    ],
  ])('is checked again by a policy for %s', async (_case, create) => {
    const { status, body } = await get(appBehind(mcpAuth(policyOf()), create()), withProof());
    expect([status, body.error]).toEqual([401, 'invalid_dpop_proof']);
    expect(body.error_description).not.toBe(REPLAYED);
  });

  test('is checked again if a middleware puts another token beside it', async () => {
    const other = signer.sign(claims({ sub: 'bob', cnf: { jkt } }));
    const replace: RequestHandler = (req, _res, next) => {
      req.headers.authorization = `DPoP ${other}`;
      next();
    };
    const auth = mcpAuth(policyOf());
    const { status, body } = await get(appBehind(auth, replace, auth), withProof());
    expect([status, body.error]).toEqual([401, 'invalid_dpop_proof']);
    expect(body.error_description).not.toBe(REPLAYED);
  });

  test('is counted once in a store', async () => {
    const added: string[] = [];
    const memory = createMemoryStore();
    const add: Store['add'] = (...given) => {
      added.push(given[0]);
      return memory.add(...given);
    };
    const auths = two({ store: { ...memory, add } });
    expect((await get(appBehind(...auths, ...auths), withProof())).status).toBe(200);
    expect(added).toHaveLength(1);
  });
});

describe('stripAuthorization, if mcpAuth() is mounted twice', () => {
  const { key, entry } = makeKey();
  const STRIP = { stripAuthorization: true };

  test.each<[string, object, Headers]>([
    ['a bearer token', {}, bearer()],
    ['a bearer token, verified each time', { tokenCache: false }, bearer()],
    ['a bearer token in optional mode', { mode: 'optional' }, bearer()],
    ['a token bound to a key', {}, withProof()],
    ['an API key', { apiKeys: [entry] }, { 'x-api-key': key }],
    [
      'a token in another header',
      { senderConstraint: {}, authorizationLocation: { header: { name: 'X-Token' } } },
      { 'x-token': plain },
    ],
  ])('lets its caller pass again, without %s', async (_case, more, headers) => {
    const policy = policyOf({ ...STRIP, ...more });
    const auth = mcpAuth(policy);
    const { status, body } = await get(appBehind(auth, auth, mcpAuth(policy)), headers);
    expect([status, body.left]).toEqual([200, []]);
    expect(body.user).not.toBeNull();
    expect((await get(appBehind(auth), {})).body.user ?? null, 'another request').toBeNull();
  });

  test('verifies the token again: what is revoked meanwhile is refused', async () => {
    const policy = policyOf(STRIP);
    const [first, second] = [mcpAuth(policy), mcpAuth(policy)];
    second.revoke({ subject: 'alice' });
    const token = signer.sign(claims());
    expect((await get(appBehind(first), bearer(token))).status).toBe(200);
    expect((await get(appBehind(first, second), bearer(token))).status).toBe(401);
  });

  test('asks for a token of the tenant in the path, also the second time', async () => {
    const auth = mcpAuth(policyOf({ ...STRIP, resourceMetadata: { resource: TENANTS } }));
    const token = signer.sign(claims({ aud: 'https://mcp.example/a/mcp' }));
    const move: RequestHandler = (req, _res, next) => {
      req.originalUrl = '/b/mcp';
      next();
    };
    expect((await get(appBehind(auth, auth), bearer(token), '/a/mcp')).status).toBe(200);
    expect((await get(appBehind(auth, move, auth), bearer(token), '/a/mcp')).status).toBe(401);
  });

  test('a token that a middleware adds counts in place of the one that was taken off', async () => {
    const auth = mcpAuth(policyOf(STRIP));
    const add =
      (token: string): RequestHandler =>
      (req, _res, next) => {
        req.headers.authorization = `Bearer ${token}`;
        req.rawHeaders.push('authorization', `Bearer ${token}`);
        next();
      };
    const bob = signer.sign(claims({ sub: 'bob' }));
    expect((await get(appBehind(auth, add(bob), auth), bearer())).body.user).toBe('bob');
    const forged = createSigner().sign(claims());
    expect((await get(appBehind(auth, add(forged), auth), bearer())).status).toBe(401);
  });

  test('another policy finds no token: 401, or an anonymous caller in its modes', async () => {
    const [first, other] = [mcpAuth(policyOf(STRIP)), mcpAuth(policyOf(STRIP))];
    const { status, body } = await get(appBehind(first, other), bearer());
    expect([status, body]).toEqual([401, { error: 'unauthorized', error_description: 'JWT token required' }]);
    const optional = mcpAuth(policyOf({ mode: 'optional' }));
    expect((await get(appBehind(first, optional), bearer())).body.user).toBeNull();
    expect((await get(appBehind(first, optional, first), bearer())).status).toBe(401);
  });
});
