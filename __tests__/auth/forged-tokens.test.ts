import { createServer } from 'node:http';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { AuthDecision, Jwks } from '../../src/index.js';
import { expectUnavailable, fresh, MINUTE, passTime, setUp, signer } from '../support/app-with-key-server.js';
import { listen, originOf, stop } from '../support/loopback-server.js';
import { claims, createAppInEveryMode, createProtectedApp, expectInvalidToken } from '../support/protected-app.js';
import { createSigner } from '../support/signer.js';

afterEach(() => void vi.useRealTimers());

const BAD_SIGNATURE = 'The token has an invalid signature';
/** Signs with another key under the kid of the good one. */
const successor = () => createSigner({ kid: signer.kid });

describe('a forged token that comes again', () => {
  test('costs no second fetch, even after the cool-down', async () => {
    const { server, protectedApp } = await setUp();
    await protectedApp.send(fresh());
    const forged = fresh(successor());
    for (const _ of [1, 2]) {
      expectInvalidToken(await protectedApp.send(forged), BAD_SIGNATURE);
      passTime(MINUTE);
    }
    expect(server.requests).toBe(2);
  });

  test('is answered in every mode as at first', async () => {
    const { send } = createAppInEveryMode({ jwks: { keys: [signer.jwk] } }, signer);
    const forged = fresh(successor());
    for (const _ of [1, 2, 3]) expectInvalidToken(await send(forged), BAD_SIGNATURE);
  });

  test('is reported with the claims that it was reported with at first', async () => {
    const decisions: AuthDecision[] = [];
    const onDecision = (decision: AuthDecision) => void decisions.push({ ...decision, durationMs: 0 });
    const { send } = createProtectedApp({ onDecision }, signer);
    const forged = fresh(successor());
    for (const _ of [1, 2]) await send(forged);
    expect(decisions[1]).toEqual(decisions[0]);
    expect(decisions[0]).toMatchObject({ code: 'bad_signature', subject: 'alice', kid: signer.kid });
  });

  test('does not harm a good token with the same key and the same claims', async () => {
    const { send } = createProtectedApp({}, signer);
    const good = fresh();
    const end = good.lastIndexOf('.') + 1;
    const forged = good.slice(0, end) + fresh().split('.')[2];
    for (const _ of [1, 2]) expectInvalidToken(await send(forged), BAD_SIGNATURE);
    expect((await send(good)).status).toBe(200);
  });
});

describe('a token refused before its key was known', () => {
  test('passes once the key set has its key, under the name of the old one', async () => {
    let jwks: Jwks = { keys: [signer.jwk] };
    const { send } = createProtectedApp({ jwks: () => jwks }, signer);
    const next = successor();
    const token = fresh(next);
    for (const _ of [1, 2]) expectInvalidToken(await send(token), BAD_SIGNATURE);
    jwks = { keys: [next.jwk] };
    expect((await send(token)).status).toBe(200);
    jwks = { keys: [signer.jwk] };
    expectInvalidToken(await send(token), BAD_SIGNATURE);
  });

  test('passes after the cool-down in which it was refused', async () => {
    const { server, protectedApp } = await setUp();
    expectInvalidToken(await protectedApp.send(fresh(successor())), BAD_SIGNATURE);
    const next = successor();
    server.answer([next.jwk]);
    const token = fresh(next);
    for (const _ of [1, 2]) expectInvalidToken(await protectedApp.send(token), BAD_SIGNATURE);
    passTime(MINUTE / 2 + 1);
    expect((await protectedApp.send(token)).status).toBe(200);
    expect(server.requests).toBe(3);
  });

  test('passes after an outage in which it was refused', async () => {
    const { server, protectedApp } = await setUp();
    await protectedApp.send(fresh());
    await server.goDown();
    const next = successor();
    const token = fresh(next);
    for (const _ of [1, 2]) expectInvalidToken(await protectedApp.send(token), BAD_SIGNATURE);
    server.answer([next.jwk]);
    await server.comeBack();
    passTime(MINUTE / 2 + 1);
    expect((await protectedApp.send(token)).status).toBe(200);
  });
});

test('a token without kid, refused before, is 503 like a new one once the keys cannot be read: it may be good by then', async () => {
  const { server, protectedApp } = await setUp();
  const token = createSigner().sign(claims({ exp: Date.now() / 1_000 + 3_600 }), { kid: undefined });
  for (const _ of [1, 2]) expectInvalidToken(await protectedApp.send(token), BAD_SIGNATURE);
  await server.goDown();
  passTime(11 * MINUTE);
  expect((await protectedApp.send(fresh())).status).toBe(200);
  for (const _ of [1, 2]) await expectUnavailable(protectedApp, token);
});

describe('maxFailedVerificationsPerSecond', () => {
  const LIMIT = 100;

  async function start(options: Record<string, unknown>) {
    const { app } = createProtectedApp(options, signer);
    const server = createServer(app);
    await listen(server);
    onTestFinished(() => stop(server));
    return async (token: string) => {
      const { status, headers } = await fetch(`${originOf(server)}/mcp`, {
        headers: { authorization: `Bearer ${token}`, accept: 'text/html' },
      });
      const [type, retryAfter] = [headers.get('content-type'), headers.get('retry-after')];
      return { status, type, retryAfter, challenge: headers.has('www-authenticate') };
    };
  }

  const type = 'application/json';
  const REFUSED = { status: 401, type, retryAfter: null, challenge: true };
  const BUSY = { status: 503, type, retryAfter: '1', challenge: false };

  test('answers 503 in JSON beyond it, whatever the request accepts, and known tokens pass', async () => {
    const send = await start({ maxFailedVerificationsPerSecond: LIMIT });
    const known = fresh();
    expect((await send(known)).status).toBe(200);
    const forger = successor();
    const began = performance.now();
    const flood = Array.from({ length: 160 }, () => send(fresh(forger)));
    const during = await Promise.all([send(known), send(known)]);
    const answers = await Promise.all(flood);
    const seconds = (performance.now() - began) / 1_000;
    expect(during.map(({ status }) => status)).toEqual([200, 200]);
    const refused = answers.filter(({ status }) => status === 401);
    expect(answers.filter(({ status }) => status !== 401)).toEqual(Array(160 - refused.length).fill(BUSY));
    expect(refused).toEqual(Array(refused.length).fill(REFUSED));
    expect(refused.length).toBeGreaterThanOrEqual(LIMIT);
    expect(refused.length).toBeLessThanOrEqual(LIMIT * (seconds + 1));
    // The waiting ones have had their turn, and the limit is for failures.
    await vi.waitUntil(async () => (await send(fresh())).status === 200, { timeout: 15_000, interval: 50 });
  });

  test('while fewer wait than the limit allows in a second, none gets 503', async () => {
    const send = await start({ maxFailedVerificationsPerSecond: 200 });
    const forger = successor();
    const flood = Array.from({ length: 190 }, () => send(fresh(forger)));
    expect((await send(fresh())).status).toBe(200);
    expect(await Promise.all(flood)).toEqual(Array(190).fill(REFUSED));
  });

  test('does not count good tokens, however many come', async () => {
    const send = await start({ maxFailedVerificationsPerSecond: 1 });
    for (let i = 0; i < 10; i += 1) expect((await send(fresh())).status).toBe(200);
  });

  test('does not count a forged token that comes again', async () => {
    const send = await start({ maxFailedVerificationsPerSecond: 1 });
    const forged = fresh(successor());
    for (let i = 0; i < 10; i += 1) expect(await send(forged)).toEqual(REFUSED);
  });

  test.each<[string, () => string]>([
    ['of an issuer that is not accepted', () => signer.sign({ ...claims(), iss: 'https://other.example' })],
    ['that is not a well-formed JWT', () => 'a.b.c'],
  ])('does not count a token %s, which is refused as such beyond it too', async (_what, token) => {
    const send = await start({ maxFailedVerificationsPerSecond: 4 });
    const forger = successor();
    const flood = Array.from({ length: 20 }, () => send(fresh(forger)));
    const others = await Promise.all(Array.from({ length: 10 }, () => send(token())));
    expect(others).toEqual(Array(10).fill(REFUSED));
    expect(await Promise.all(flood)).toContainEqual(BUSY);
  });

  test('is off by default', async () => {
    const send = await start({});
    const forger = successor();
    const answers = await Promise.all(Array.from({ length: 150 }, () => send(fresh(forger))));
    expect(answers).toEqual(Array(150).fill(REFUSED));
  });
});
