import express from 'express';
import request from 'supertest';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createRevocations } from '../../src/auth/token/revocations.js';
import { type AuthDecision, type AuthInfo, getAuth, mcpAuth } from '../../src/index.js';
import { passTime as passMs, stopTime } from '../support/app-with-key-server.js';
import { claims, createProtectedApp, expectInvalidToken, ISSUER, RESOURCE } from '../support/protected-app.js';
import { createSigner, signatureOf } from '../support/signer.js';

const signer = createSigner();
const REVOKED = 'The token has been revoked';

afterEach(() => void vi.useRealTimers());

const passTime = (seconds: number) => passMs(seconds * 1_000);

/** A protected app that records which requests were answered from memory. */
function setUp(options: Record<string, unknown> = {}) {
  stopTime();
  const cached: boolean[] = [];
  const protectedApp = createProtectedApp(
    { onDecision: (decision: AuthDecision) => cached.push(decision.cached), ...options },
    signer,
  );
  return { ...protectedApp, cached };
}

describe('a verified token', () => {
  test('is recalled with the same claims', async () => {
    const { send, cached } = setUp();
    const token = signer.sign(claims({ scope: 'read' }));
    const [first, second] = [await send(token), await send(token)];
    expect(second.body).toEqual(first.body);
    expect(cached).toEqual([false, true]);
  });

  test("is recalled as a whole: one user never gets another's claims", async () => {
    const { send } = setUp();
    const users = ['alice', 'bob', 'carol'];
    const tokens = users.map((sub) => signer.sign(claims({ sub })));
    for (const _round of [1, 2, 3]) {
      const answers = await Promise.all(tokens.map(send));
      expect(answers.map(({ body }) => body.payload.sub)).toEqual(users);
    }
  });

  test("is not taken for another token with its signature: bob with alice's", async () => {
    const { send, cached } = setUp();
    const [alice, bob] = ['alice', 'bob'].map((sub) => signer.sign(claims({ sub }))) as [string, string];
    const [header, , signature] = alice.split('.');
    const forged = `${header}.${bob.split('.')[1]}.${signature}`;
    await send(alice);
    expectInvalidToken(await send(forged), 'The token has an invalid signature');
    expect((await send(alice)).body.payload.sub).toBe('alice');
    expect(cached).toEqual([false, false, true]);
  });

  test('ends at exp', async () => {
    const { send } = setUp({ clockToleranceSeconds: 0 });
    const token = signer.sign(claims({ exp: Math.floor(Date.now() / 1000) + 60 }));
    expect((await send(token)).status).toBe(200);
    passTime(61);
    expectInvalidToken(await send(token), 'The token has expired');
  });

  test('is verified again after maxAgeSeconds', async () => {
    const { send, cached } = setUp({ tokenCache: { maxAgeSeconds: 10 } });
    const token = signer.sign(claims());
    await send(token);
    passTime(9);
    await send(token);
    passTime(2);
    await send(token);
    expect(cached).toEqual([false, true, false]);
  });

  test('is forgotten when maxEntries others came after it', async () => {
    const { send, cached } = setUp({ tokenCache: { maxEntries: 2 } });
    const [a, b, c] = ['a', 'b', 'c'].map((jti) => signer.sign(claims({ jti }))) as [string, string, string];
    for (const token of [a, b, c, a]) await send(token);
    expect(cached).toEqual([false, false, false, false]);
  });

  test('is forgotten when others have used up maxBytes', async () => {
    const { send, cached } = setUp({ tokenCache: { maxBytes: 30_000 } });
    const big = (jti: string) => signer.sign(claims({ jti, groups: 'g'.repeat(5_000) }));
    const [a, b, c] = ['a', 'b', 'c'].map(big) as [string, string, string];
    for (const token of [a, b, b, c, b, a]) expect((await send(token)).status).toBe(200);
    expect(cached).toEqual([false, false, true, false, true, false]);
  });

  test('that is larger than maxBytes is verified each time', async () => {
    const { send, cached } = setUp({ tokenCache: { maxBytes: 5_000 } });
    const token = signer.sign(claims({ groups: 'g'.repeat(5_000) }));
    for (const _ of [1, 2]) expect((await send(token)).status).toBe(200);
    expect(cached).toEqual([false, false]);
  });

  test('is not remembered where tokenCache is false', async () => {
    const { send, cached } = setUp({ tokenCache: false });
    const token = signer.sign(claims());
    await send(token);
    await send(token);
    expect(cached).toEqual([false, false]);
  });

  test('is not remembered by another protected app', async () => {
    const token = signer.sign(claims());
    await setUp().send(token);
    const other = setUp({ audiences: ['other'] });
    expectInvalidToken(await other.send(token), 'The token is meant for another audience');
  });

  test('with another signature is another token', async () => {
    const { send } = setUp();
    const token = signer.sign(claims());
    expect((await send(token)).status).toBe(200);
    const [header, payload] = token.split('.');
    const other = createSigner().sign(claims()).split('.')[2];
    expectInvalidToken(await send(`${header}.${payload}.${other}`), 'The token has an invalid signature');
  });

  test('cannot be changed by an application for the next request', async () => {
    const seen: AuthInfo[] = [];
    const hosts: (string | undefined)[] = [];
    const app = express();
    app.use(mcpAuth({ issuer: ISSUER, resourceMetadata: { resource: RESOURCE }, jwks: { keys: [signer.jwk] } }));
    app.use((req, res) => {
      const auth = getAuth(req) as AuthInfo;
      seen.push(auth);
      hosts.push(auth.resource?.hostname);
      expect(() => auth.scopes.push('admin')).toThrow(TypeError);
      expect(() => Object.assign(auth.payload, { sub: 'root' })).toThrow(TypeError);
      expect(() => (auth.payload.list as string[]).push('y')).toThrow(TypeError);
      (auth.resource as URL).hostname = 'evil.example';
      res.end();
    });
    const token = signer.sign(claims({ scope: 'read', list: ['x'] }));
    for (const _ of [1, 2]) await request(app).get('/').auth(token, { type: 'bearer' }).expect(200);
    expect(seen[1]).toBe(seen[0]);
    await request(app)
      .get('/')
      .auth(signer.sign(claims({ sub: 'bob' })), { type: 'bearer' })
      .expect(200);
    expect(hosts[2], "another user's").toBe('mcp.example');
  });
});

describe('failures are not remembered', () => {
  test('a token that was not valid yet passes when it is', async () => {
    const { send } = setUp({ clockToleranceSeconds: 0 });
    const token = signer.sign(claims({ nbf: Math.floor(Date.now() / 1000) + 60 }));
    expectInvalidToken(await send(token), 'The token is not valid yet');
    passTime(61);
    expect((await send(token)).status).toBe(200);
  });
});

describe('revoke()', () => {
  test('refuses a token from then on, seen or not', async () => {
    const { auth, send } = setUp();
    const [seen, unseen, other] = ['a', 'b', 'c'].map((jti) => signer.sign(claims({ jti }))) as [
      string,
      string,
      string,
    ];
    await send(seen);
    for (const token of [seen, unseen, seen]) auth.revoke(token);
    expectInvalidToken(await send(seen), REVOKED);
    expectInvalidToken(await send(unseen), REVOKED);
    expect((await send(other)).status).toBe(200);
  });

  test('of a token lasts until the token has expired', async () => {
    const { auth, send } = setUp({ clockToleranceSeconds: 10 });
    const token = signer.sign(claims({ exp: Math.floor(Date.now() / 1000) + 60 }));
    auth.revoke(token);
    passTime(65);
    auth.revoke(signer.sign(claims()));
    expectInvalidToken(await send(token), REVOKED);
    passTime(10);
    auth.revoke(signer.sign(claims()));
    expectInvalidToken(await send(token), 'The token has expired');
  });

  test('of a token takes no memory after that', () => {
    const revocations = createRevocations(10);
    const [revoked, later] = [60, 3600].map((seconds) =>
      signer.sign(claims({ exp: Math.floor(Date.now() / 1000) + seconds })),
    ) as [string, string];
    const isRevoked = () =>
      revocations.includes({ token: revoked, header: { alg: 'ES256' }, payload: {} } as unknown as AuthInfo);
    revocations.add(revoked);
    passTime(65);
    revocations.add(later);
    expect(isRevoked()).toBe(true);
    passTime(10);
    revocations.add(later);
    expect(isRevoked()).toBe(false);
  });

  test('refuses the second signature that ECDSA lets anyone make of the same token', async () => {
    const { auth, send } = setUp();
    const token = signer.sign(claims());
    auth.revoke(token);
    const input = token.slice(0, token.lastIndexOf('.'));
    const again = signatureOf('ES256', signer.privateKey)(input).toString('base64url');
    expect(again).not.toBe(token.split('.')[2]);
    expectInvalidToken(await send(`${input}.${again}`), REVOKED);
  });

  test('by a rule refuses tokens issued until then, remembered or not, and accepts those of a new login', async () => {
    const { auth, send } = setUp();
    const iat = Math.floor(Date.now() / 1000) - 10;
    const [seen, unseen] = ['a', 'b'].map((jti) => signer.sign(claims({ jti, iat }))) as [string, string];
    const undated = signer.sign(claims({ iat: undefined }));
    const bob = signer.sign(claims({ sub: 'bob' }));
    await send(seen);
    auth.revoke(({ payload }) => payload.sub === 'alice');
    for (const token of [seen, unseen, undated]) expectInvalidToken(await send(token), REVOKED);
    expect((await send(bob)).status).toBe(200);
    passTime(40);
    expect((await send(signer.sign(claims({ jti: 'new' })))).status, 'past the clock tolerance').toBe(200);
  });

  test('by a rule that throws refuses', async () => {
    const { auth, send } = setUp();
    const token = signer.sign(claims());
    await send(token);
    auth.revoke(() => {
      throw new Error('cannot decide');
    });
    expectInvalidToken(await send(token), REVOKED);
  });

  test('works where nothing is remembered', async () => {
    const { auth, send } = setUp({ tokenCache: false });
    const token = signer.sign(claims());
    auth.revoke(token);
    expectInvalidToken(await send(token), REVOKED);
  });

  test.each([[undefined], [''], [7], [{}], ['opaque'], ['Bearer a.b.c'], ['a.b.c']])(
    'of %j throws a TypeError',
    (what) => {
      expect(() => setUp().auth.revoke(what as never)).toThrow(TypeError);
    },
  );
});
