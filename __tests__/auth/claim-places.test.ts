import express from 'express';
import request from 'supertest';
import { describe, expect, test } from 'vitest';
import { getAuth, type McpAuthOptions, mcpAuth } from '../../src/index.js';
import {
  claims,
  createAppInEveryMode,
  createProtectedApp,
  expectInvalidToken,
  ISSUER,
  RESOURCE,
} from '../support/protected-app.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { createSigner } from '../support/signer.js';

const signer = createSigner();
const sign = (changes: Record<string, unknown>) => signer.sign(claims(changes));
const WRONG_TYPE = 'The token has a claim of the wrong type';

describe('scopesClaim', () => {
  test.each<[string, string, Record<string, unknown>, string[]]>([
    ['a list in another claim', 'realm_access.roles', { realm_access: { roles: ['a', 'b'] } }, ['a', 'b']],
    ['a string in another claim', 'realm_access.roles', { realm_access: { roles: 'a b' } }, ['a', 'b']],
    ['the claim whose own name has the dot', 'a.b', { 'a.b': ['own'], a: { b: ['path'] } }, ['own']],
    ['that claim even if it is empty', 'a.b', { 'a.b': [], a: { b: ['path'] } }, []],
    [
      'a client whose name has dots',
      'resource_access.my.client.roles',
      { resource_access: { 'my.client': { roles: ['a'] } } },
      ['a'],
    ],
    ['three levels', 'a.b.c', { a: { b: { c: ['a'] } } }, ['a']],
    ['a claim named by a URL', 'https://a.example/roles', { 'https://a.example/roles': ['a'] }, ['a']],
    ['groups', 'groups', { groups: ['g1', 'g2'] }, ['g1', 'g2']],
    ['roles beside scope and scp', 'roles', { scope: 'a', scp: ['b'], roles: ['c', 'a'] }, ['a', 'b', 'c']],
    ['nothing, if the path ends early', 'a.b', { a: 'b' }, []],
    ['nothing, in a list', 'a.0', { a: ['x'] }, []],
    ['nothing, of what every object inherits', 'constructor.name', {}, []],
    ['nothing, of the prototype of a claim', 'a.__proto__.toString', { a: {} }, []],
  ])('reads %s', async (_name, scopesClaim, changes, scopes) => {
    const { send } = createProtectedApp({ scopesClaim }, signer);
    expect((await send(sign(changes))).body.scopes).toEqual(scopes);
  });

  test.each([
    { a: { b: 7 } },
    { a: { b: { c: 'x' } } },
    { a: { b: ['x', 7] } },
    { 'a.b': null, a: { b: ['x'] } },
    { a: { b: true } },
  ])('of another type is refused in every mode: %j', async (changes) => {
    const { send } = createAppInEveryMode({ scopesClaim: 'a.b' }, signer);
    expectInvalidToken(await send(sign(changes)), WRONG_TYPE);
  });

  test('counts for requiredScopes', async () => {
    const options = { scopesClaim: 'realm_access.roles', requiredScopes: ['admin'] };
    const { send } = createProtectedApp(options, signer);
    expect((await send(sign({ realm_access: { roles: ['admin'] } }))).status).toBe(200);
    expect((await send(sign({ realm_access: { roles: ['user'] } }))).status).toBe(403);
  });
});

describe('subjectClaim', () => {
  test.each<[string, Record<string, unknown>, string | undefined]>([
    ['user.id', { user: { id: 'u1' } }, 'u1'],
    ['user.id', { 'user.id': 'own', user: { id: 'path' } }, 'own'],
    ['user.id', { user: {} }, undefined],
    ['user.id', { user: { id: '' } }, undefined],
  ])('%s of %j', async (subjectClaim, changes, subject) => {
    const { send } = createProtectedApp({ subjectClaim }, signer);
    expect((await send(sign(changes))).body.subject).toBe(subject);
  });

  test('of another type is refused', async () => {
    const { send } = createAppInEveryMode({ subjectClaim: 'user.id' }, signer);
    expectInvalidToken(await send(sign({ user: { id: 7 } })), WRONG_TYPE);
  });
});

describe('a claim that is never there', () => {
  const warningsFor = async (options: Record<string, unknown>, tokens: readonly Record<string, unknown>[]) => {
    const { lines, logger } = createRecordingLogger();
    const { send } = createProtectedApp({ ...options, logger }, signer);
    for (const changes of tokens) await send(sign(changes));
    return lines.filter((line) => line.startsWith('warn'));
  };
  const named = (name: string) => `warn mcpAuth(): a token of issuer "${ISSUER}" has no claim "${name}". `;

  test.each([
    [{ scopesClaim: 'realm_access.roles' }, 'realm_access.roles'],
    [{ scopesClaim: 'roles' }, 'roles'],
    [{ subjectClaim: 'user.id' }, 'user.id'],
  ])('is warned about once: %j', async (options, name) => {
    const warnings = await warningsFor(options, [{}, { jti: '2' }, { jti: '3' }]);
    expect(warnings).toEqual([expect.stringContaining(named(name))]);
  });

  test('is not warned about where the first token has it: another user may have no role', async () => {
    expect(await warningsFor({ scopesClaim: 'roles' }, [{ roles: [] }, {}])).toEqual([]);
  });
});

describe('exclusiveAudience', () => {
  const OTHER = 'https://other.example';
  test.each<[unknown, string[] | undefined, boolean]>([
    [RESOURCE, undefined, true],
    [[RESOURCE], undefined, true],
    [[RESOURCE, `${RESOURCE}/`], undefined, true],
    [[RESOURCE, RESOURCE], undefined, true],
    [['a', 'b'], ['a', 'b', 'c'], true],
    [[RESOURCE, OTHER], undefined, false],
    [[OTHER, RESOURCE], undefined, false],
    [['a', 'b'], ['a'], false],
    [[RESOURCE, ''], undefined, false],
    [OTHER, undefined, false],
    [[], undefined, false],
  ])('aud %j, audiences %j: accepted is %s', async (aud, audiences, isAccepted) => {
    const { send } = createAppInEveryMode({ exclusiveAudience: true, audiences }, signer);
    const response = await send(sign({ aud }));
    if (isAccepted) expect(response.status).toBe(200);
    else expectInvalidToken(response, 'The token is meant for another audience');
  });

  test('is off by default', async () => {
    const { send } = createProtectedApp({}, signer);
    expect((await send(sign({ aud: [RESOURCE, OTHER] }))).status).toBe(200);
  });
});

describe('extra', () => {
  test('joins the claims in req.auth.extra, once for each token', async () => {
    let calls = 0;
    const extra = ({ subject, payload }: { subject?: string; payload: Record<string, unknown> }) => {
      calls += 1;
      return { userId: `id of ${subject}`, role: payload.role ?? 'user', sub: 'overridden' };
    };
    const { send } = createProtectedApp({ extra }, signer);
    const token = sign({ role: 'admin' });
    for (const _ of [1, 2, 3]) {
      const { body } = await send(token);
      expect(body.extra).toMatchObject({ userId: 'id of alice', role: 'admin', sub: 'overridden', iss: ISSUER });
      expect(body.payload.sub).toBe('alice');
      expect(body.subject).toBe('alice');
    }
    expect(calls).toBe(1);
  });

  test.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('no such user');
      },
    ],
    ['returns nothing', () => undefined],
    ['returns text', () => 'admin'],
    ['returns a list', () => []],
    ['returns a promise', async () => ({ userId: 1 })],
    [
      'returns a rejected promise',
      async () => {
        throw new Error('later');
      },
    ],
  ])('that %s lets no request in, in strict and optional mode', async (_name, extra) => {
    for (const mode of ['strict', 'optional']) {
      const { send } = createProtectedApp({ extra, mode }, signer);
      for (const _ of [1, 2]) expect((await send(sign({}))).status).toBe(500);
    }
  });

  test('leaves what the application returned unfrozen, and req.auth frozen', async () => {
    const user = { name: 'Alice', visits: 0 };
    const seen: unknown[] = [];
    const app = express();
    const policy = { issuer: ISSUER, jwks: { keys: [signer.jwk] }, resourceMetadata: { resource: RESOURCE } };
    app.use(mcpAuth({ ...policy, extra: () => ({ user }) } as McpAuthOptions));
    app.use((req, res) => {
      const auth = getAuth(req);
      user.visits += 1;
      seen.push(Object.isFrozen(auth), Object.isFrozen(auth?.extra), auth?.extra.user === user);
      res.end();
    });
    await request(app).get('/').auth(sign({}), { type: 'bearer' }).expect(200);
    expect([seen, user.visits]).toEqual([[true, true, true], 1]);
  });
});

describe('stripAuthorization', () => {
  test('takes the token off the request, and leaves it in req.auth', async () => {
    const app = express();
    const policy = { issuer: ISSUER, jwks: { keys: [signer.jwk] }, resourceMetadata: { resource: RESOURCE } };
    app.use(mcpAuth({ ...policy, stripAuthorization: true } as McpAuthOptions));
    app.use((req, res) => {
      const raw = req.rawHeaders.filter((name) => /authorization/i.test(name));
      res.json({ header: req.headers.authorization ?? null, raw, token: getAuth(req)?.token });
    });
    const token = sign({});
    for (const _ of [1, 2]) {
      const { body } = await request(app).get('/').auth(token, { type: 'bearer' });
      expect(body).toEqual({ header: null, raw: [], token });
    }
  });

  test('is off by default', async () => {
    const { send } = createProtectedApp({}, signer);
    expect((await send(sign({}))).body.credentials).toEqual(['authorization']);
  });
});

test('getAuth() takes the type of the claims', async () => {
  const app = express();
  app.use(mcpAuth({ issuer: ISSUER, jwks: { keys: [signer.jwk as never] }, audiences: [RESOURCE] }));
  app.use((req, res) => {
    const email: string | undefined = getAuth<{ email: string }>(req)?.payload.email;
    res.json({ email });
  });
  const { body } = await request(app)
    .get('/')
    .auth(sign({ email: 'a@b.example' }), { type: 'bearer' });
  expect(body).toEqual({ email: 'a@b.example' });
});
