import express from 'express';
import request from 'supertest';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { AuthDecision } from '../../src/index.js';
import {
  expectUnavailable,
  fresh,
  MINUTE,
  passTime,
  setUp,
  signer,
  UNKNOWN_KEY,
} from '../support/app-with-key-server.js';
import { claims, createProtectedApp, expectInvalidToken } from '../support/protected-app.js';
import { createSigner } from '../support/signer.js';
import { until } from '../support/until.js';

afterEach(() => void vi.useRealTimers());

describe('rotation', () => {
  test('a new key is found at its first token, without a restart', async () => {
    const { server, protectedApp } = await setUp();
    await protectedApp.send(fresh());
    const next = createSigner();
    server.answer([signer.jwk, next.jwk]);
    expect((await protectedApp.send(fresh(next))).status).toBe(200);
    expect(server.requests).toBe(2);
  });

  test('a key made while an older fetch is under way is found, and not refused', async () => {
    const { server, protectedApp } = await setUp();
    await protectedApp.send(fresh());
    const next = createSigner();
    const { asked, release } = server.pause([signer.jwk]);
    passTime(9 * MINUTE);
    await protectedApp.send(fresh());
    await asked;
    let arrived = false;
    const app = express().use((_req, _res, next) => {
      arrived = true;
      next();
    }, protectedApp.app);
    const waiting = request(app)
      .get('/mcp')
      .auth(fresh(next), { type: 'bearer' })
      .then(({ status }) => status);
    server.answer([signer.jwk, next.jwk]);
    await until(() => arrived);
    // It waits for the fetch that had begun before it came.
    for (let i = 0; i < 100; i += 1) await new Promise(setImmediate);
    release();
    expect(await waiting).toBe(200);
  });

  test('a new key is found for all requests that a middleware passes on at the same time', async () => {
    const { server, protectedApp } = await setUp();
    await protectedApp.send(fresh());
    const next = createSigner();
    server.answer([signer.jwk, next.jwk]);
    const waiting: (() => void)[] = [];
    const app = express().use((_req, _res, letOn) => {
      waiting.push(letOn);
      if (waiting.length === 4) for (const each of waiting) each();
    }, protectedApp.app);
    const send = () => request(app).get('/mcp').auth(fresh(next), { type: 'bearer' });
    const answers = await Promise.all([send(), send(), send(), send()]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(server.requests).toBe(2);
  });

  describe('of a key that neither the set nor its tokens name', () => {
    const nameless = (by = createSigner()) => {
      const { kid: _kid, ...jwk } = by.jwk;
      return { jwk, token: () => by.sign(claims({ jti: Math.random().toString() }), { kid: undefined }) };
    };
    const setUpNameless = async () => {
      const [first, second] = [nameless(), nameless()];
      const { server, protectedApp } = await setUp();
      server.answer([first.jwk]);
      expect((await protectedApp.send(first.token())).status).toBe(200);
      return { first, second, server, protectedApp };
    };

    test('is found out at the first token, and the old key forgotten', async () => {
      const { first, second, server, protectedApp } = await setUpNameless();
      server.answer([second.jwk]);
      expect((await protectedApp.send(second.token())).status).toBe(200);
      expectInvalidToken(await protectedApp.send(first.token()), 'The token has an invalid signature');
      expect(server.requests).toBe(2);
    });

    test('is ambiguous beside the old one, at its first token and after', async () => {
      const { first, second, server, protectedApp } = await setUpNameless();
      server.answer([first.jwk, second.jwk]);
      for (const _ of [1, 2]) expect((await protectedApp.send(second.token())).status).toBe(401);
    });

    test('costs one fetch in a flood of forged tokens, and good ones pass meanwhile', async () => {
      const { first, second, server, protectedApp } = await setUpNameless();
      for (let i = 0; i < 20; i += 1) {
        const answers = await Promise.all([first, second, second].map(({ token }) => protectedApp.send(token())));
        expect(answers.map(({ status }) => status)).toEqual([200, 401, 401]);
      }
      expect(server.requests).toBe(2);
    });

    test('is not blamed on the client while the key server is away', async () => {
      const { first, second, server, protectedApp } = await setUpNameless();
      await server.goDown();
      await expectUnavailable(protectedApp, second.token());
      expect((await protectedApp.send(first.token())).status).toBe(200);
    });
  });

  describe('of a key whose name stays', () => {
    const namesake = () => createSigner({ kid: signer.kid });
    const INVALID = 'The token has an invalid signature';

    test('is found out at the first token, and the old key forgotten', async () => {
      const { server, protectedApp } = await setUp();
      const [token, next] = [fresh(), namesake()];
      await protectedApp.send(token);
      server.answer([next.jwk]);
      expect((await protectedApp.send(fresh(next))).status).toBe(200);
      expectInvalidToken(await protectedApp.send(token), INVALID);
      expect(server.requests).toBe(2);
    });

    test('may have both in the set for a while', async () => {
      const { server, protectedApp } = await setUp();
      const next = namesake();
      server.answer([signer.jwk, next.jwk]);
      const inline = createProtectedApp({ jwks: { keys: [signer.jwk, next.jwk] } }, signer);
      for (const each of [fresh(next), fresh()]) {
        expect((await protectedApp.send(each)).status).toBe(200);
        expect((await inline.send(each)).status).toBe(200);
      }
      expect(server.requests).toBe(1);
      expectInvalidToken(await inline.send(fresh(namesake())), INVALID);
    });

    test('costs one fetch in a flood of forged tokens, which are refused also while the key server is away', async () => {
      const { server, protectedApp } = await setUp();
      await protectedApp.send(fresh());
      for (let i = 0; i < 20; i += 1) expectInvalidToken(await protectedApp.send(fresh(namesake())), INVALID);
      expect(server.requests).toBe(2);
      await server.goDown();
      passTime(31_000);
      expectInvalidToken(await protectedApp.send(fresh(namesake())), INVALID);
      expect((await protectedApp.send(fresh())).status).toBe(200);
    });
  });

  test('a refresh that brings the same keys forgets no token', async () => {
    const cached: boolean[] = [];
    const { server, protectedApp } = await setUp({
      onDecision: (decision: AuthDecision) => cached.push(decision.cached),
    });
    const token = signer.sign(claims({ exp: Math.floor(Date.now() / 1000) + 7200 }));
    server.headers = { 'cache-control': 'max-age=60' };
    await protectedApp.send(token);
    passTime(2 * MINUTE);
    await protectedApp.send(fresh());
    await protectedApp.send(token);
    expect(server.requests).toBe(2);
    expect(cached).toEqual([false, false, true]);
  });

  test('the key of a remembered token is checked again once the set has expired', async () => {
    const { server, protectedApp } = await setUp({ tokenCache: { maxAgeSeconds: 3600 } });
    const token = fresh();
    await protectedApp.send(token);
    server.answer([createSigner().jwk]);
    passTime(11 * MINUTE);
    expectInvalidToken(await protectedApp.send(token), UNKNOWN_KEY);
  });

  test('an emptied set withdraws its keys: 503, and no token passes', async () => {
    const { server, protectedApp } = await setUp();
    const token = fresh();
    expect((await protectedApp.send(token)).status).toBe(200);
    server.answer([]);
    passTime(11 * MINUTE);
    await expectUnavailable(protectedApp, fresh());
    await expectUnavailable(protectedApp, token);
  });

  test('within the cool-down an unknown key is refused without a fetch, and found after it', async () => {
    const { server, protectedApp } = await setUp();
    await protectedApp.send(fresh());
    expectInvalidToken(await protectedApp.send(fresh(createSigner())), UNKNOWN_KEY);
    const next = createSigner();
    server.answer([signer.jwk, next.jwk]);
    expectInvalidToken(await protectedApp.send(fresh(next)), UNKNOWN_KEY);
    expect(server.requests).toBe(2);
    passTime(31_000);
    expect((await protectedApp.send(fresh(next))).status).toBe(200);
    expect(server.requests).toBe(3);
  });

  test('when a key leaves the set, its remembered tokens are refused', async () => {
    const { server, protectedApp } = await setUp();
    const token = fresh();
    expect((await protectedApp.send(token)).status).toBe(200);
    const next = createSigner();
    server.answer([next.jwk]);
    expect((await protectedApp.send(fresh(next))).status).toBe(200);
    expectInvalidToken(await protectedApp.send(token), UNKNOWN_KEY);
  });
});
