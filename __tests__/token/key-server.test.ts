import { afterEach, describe, expect, test, vi } from 'vitest';
import { claims, expectInvalidToken } from '../support/gate.js';
import { expectUnavailable, fresh, MINUTE, passTime, setUp, signer, UNKNOWN_KEY } from '../support/remote-keys.js';
import { serve } from '../support/serve.js';
import { createSigner } from '../support/signer.js';

afterEach(() => void vi.useRealTimers());

describe('fetching', () => {
  test('nothing is fetched before the first token, and once for many at once', async () => {
    const { server, gate } = await setUp();
    expect(server.requests).toBe(0);
    const answers = await Promise.all(Array.from({ length: 20 }, () => gate.send(fresh())));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(server.requests).toBe(1);
  });

  test('a flood of 10,000 forged tokens costs two fetches, and good tokens pass meanwhile', async () => {
    const { server, gate } = await setUp();
    const forged = Array.from({ length: 10_000 }, (_, i) =>
      signer.sign({ iss: 'https://issuer.example' }, { kid: `forged-${i}` }),
    );
    let refused = 0;
    let passed = 0;
    const origin = await serve(gate.app);
    const send = async (token: string) => {
      const response = await fetch(`${origin}/mcp`, { headers: { authorization: `Bearer ${token}` } });
      await response.arrayBuffer();
      return response.status;
    };
    for (let i = 0; i < forged.length; i += 250) {
      const batch = forged.slice(i, i + 250).map(send);
      if ((await send(fresh())) === 200) passed += 1;
      refused += (await Promise.all(batch)).filter((status) => status === 401).length;
    }
    expect({ refused, passed, fetches: server.requests }).toEqual({ refused: 10_000, passed: 40, fetches: 2 });
  }, 60_000);

  test.each([
    ['10 minutes without a word', {}, 10],
    ['max-age', { 'cache-control': 'public, max-age=300' }, 5],
    ['max-age less Age', { 'cache-control': 'max-age=300', age: '120' }, 3],
    ['a minute at the least', { 'cache-control': 'max-age=1' }, 1],
    ['a minute for no-store', { 'cache-control': 'no-store, max-age=300' }, 1],
    ['an hour at the most', { 'cache-control': 'max-age=864000' }, 60],
    ['Expires', { expires: new Date(Date.now() + 4 * MINUTE).toUTCString() }, 4],
  ])('a set is kept for %s', async (_name, headers, minutes) => {
    const { server, gate } = await setUp();
    server.headers = headers;
    await gate.send(fresh());
    passTime(minutes * MINUTE * 0.7);
    await gate.send(fresh());
    expect(server.requests, 'before its time').toBe(1);
    passTime(minutes * MINUTE * 0.4);
    await gate.send(fresh());
    expect(server.requests, 'after its time').toBe(2);
  });

  test('the set is refreshed in the background before its time is up: no request waits for it', async () => {
    const { server, gate } = await setUp();
    const token = fresh();
    await gate.send(token);
    let release = (): void => undefined;
    const asked = new Promise<void>((resolve) => {
      server.answer((res) => {
        release = () => res.end(JSON.stringify({ keys: [signer.jwk] }));
        resolve();
      });
    });
    passTime(9 * MINUTE);
    expect((await gate.send(fresh())).status, 'while the key server has not answered').toBe(200);
    await asked;
    expect((await gate.send(token)).status).toBe(200);
    release();
    expect(server.requests).toBe(2);
  });
});

describe('rotation', () => {
  test('a new key is found at its first token, without a restart', async () => {
    const { server, gate } = await setUp();
    await gate.send(fresh());
    const next = createSigner();
    server.answer([signer.jwk, next.jwk]);
    expect((await gate.send(fresh(next))).status).toBe(200);
    expect(server.requests).toBe(2);
  });

  test('a key made while an older fetch is under way is found, and not refused', async () => {
    const { server, gate } = await setUp();
    await gate.send(fresh());
    const next = createSigner();
    let release = (): void => undefined;
    const asked = new Promise<void>((resolve) => {
      server.answer((res) => {
        release = () => res.end(JSON.stringify({ keys: [signer.jwk] }));
        resolve();
      });
    });
    passTime(9 * MINUTE);
    await gate.send(fresh());
    await asked;
    const waiting = gate.send(fresh(next));
    server.answer([signer.jwk, next.jwk]);
    release();
    expect((await waiting).status).toBe(200);
  });

  describe('of a key that neither the set nor its tokens name', () => {
    const nameless = (by = createSigner()) => {
      const { kid: _kid, ...jwk } = by.jwk;
      return { jwk, token: () => by.sign(claims({ jti: Math.random().toString() }), { kid: undefined }) };
    };
    const setUpNameless = async () => {
      const [first, second] = [nameless(), nameless()];
      const { server, gate } = await setUp();
      server.answer([first.jwk]);
      expect((await gate.send(first.token())).status).toBe(200);
      return { first, second, server, gate };
    };

    test('is found out at the first token, and the old key forgotten', async () => {
      const { first, second, server, gate } = await setUpNameless();
      server.answer([second.jwk]);
      expect((await gate.send(second.token())).status).toBe(200);
      expectInvalidToken(await gate.send(first.token()), 'The token has an invalid signature');
      expect(server.requests).toBe(2);
    });

    test('costs one fetch in a flood of forged tokens, and good ones pass meanwhile', async () => {
      const { first, second, server, gate } = await setUpNameless();
      for (let i = 0; i < 20; i += 1) {
        const answers = await Promise.all([first, second, second].map(({ token }) => gate.send(token())));
        expect(answers.map(({ status }) => status)).toEqual([200, 401, 401]);
      }
      expect(server.requests).toBe(2);
    });

    test('is not held against a client while the key server is away', async () => {
      const { first, second, server, gate } = await setUpNameless();
      await server.goDown();
      await expectUnavailable(gate, second.token());
      expect((await gate.send(first.token())).status).toBe(200);
    });
  });

  test('a set that is emptied withdraws its keys: 503, and no token passes', async () => {
    const { server, gate } = await setUp();
    const token = fresh();
    expect((await gate.send(token)).status).toBe(200);
    server.answer([]);
    passTime(11 * MINUTE);
    await expectUnavailable(gate, fresh());
    await expectUnavailable(gate, token);
  });

  test('within the cool-down an unknown key is refused without a fetch, and found after it', async () => {
    const { server, gate } = await setUp();
    await gate.send(fresh());
    expectInvalidToken(await gate.send(fresh(createSigner())), UNKNOWN_KEY);
    const next = createSigner();
    server.answer([signer.jwk, next.jwk]);
    expectInvalidToken(await gate.send(fresh(next)), UNKNOWN_KEY);
    expect(server.requests).toBe(2);
    passTime(31_000);
    expect((await gate.send(fresh(next))).status).toBe(200);
    expect(server.requests).toBe(3);
  });

  test('a key that left the set takes its verified tokens with it', async () => {
    const { server, gate } = await setUp();
    const token = fresh();
    expect((await gate.send(token)).status).toBe(200);
    const next = createSigner();
    server.answer([next.jwk]);
    expect((await gate.send(fresh(next))).status).toBe(200);
    expectInvalidToken(await gate.send(token), UNKNOWN_KEY);
  });
});
