import { afterEach, describe, expect, test, vi } from 'vitest';
import { fresh, MINUTE, passTime, setDate, setUp, signer, UNKNOWN_KEY } from '../support/app-with-key-server.js';
import { expectInvalidToken } from '../support/protected-app.js';
import { createSigner } from '../support/signer.js';

afterEach(() => void vi.useRealTimers());

describe('fetching', () => {
  test('nothing is fetched before the first token, and once for many at once', async () => {
    const { server, protectedApp } = await setUp();
    expect(server.requests).toBe(0);
    const answers = await Promise.all(Array.from({ length: 20 }, () => protectedApp.send(fresh())));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(server.requests).toBe(1);
  });

  // `expires` is in minutes from now.
  test.each<[string, Record<string, string | number>, number]>([
    ['10 minutes without a word', {}, 10],
    ['max-age', { 'cache-control': 'public, max-age=300' }, 5],
    ['max-age less Age', { 'cache-control': 'max-age=300', age: '120' }, 3],
    ['a minute at the least', { 'cache-control': 'max-age=1' }, 1],
    ['a minute for no-store', { 'cache-control': 'no-store, max-age=300' }, 1],
    ['an hour at the most', { 'cache-control': 'max-age=864000' }, 60],
    ['Expires', { expires: 4 }, 4],
    ['max-age, also beside Expires', { 'cache-control': 'max-age=300', expires: 30 }, 5],
  ])('a set is kept for %s', async (_name, { expires, ...headers }, minutes) => {
    const { server, protectedApp } = await setUp();
    const date = { expires: new Date(Date.now() + Number(expires) * MINUTE).toUTCString() };
    server.headers = { ...(headers as Record<string, string>), ...(expires === undefined ? {} : date) };
    await protectedApp.send(fresh());
    passTime(minutes * MINUTE * 0.7);
    await protectedApp.send(fresh());
    expect(server.requests, 'before its time').toBe(1);
    passTime(minutes * MINUTE * 0.4);
    await protectedApp.send(fresh());
    expect(server.requests, 'after its time').toBe(2);
  });

  test('a date that is put back makes no set younger, one that jumps ahead makes it due, as after a sleep', async () => {
    const { server, protectedApp } = await setUp();
    for (const [ms, requests] of [
      [0, 1],
      [-300 * MINUTE, 1],
      [310 * MINUTE, 2],
      [-30 * MINUTE, 2],
    ] as const) {
      setDate(ms);
      expect((await protectedApp.send(fresh())).status).toBe(200);
      expect(server.requests).toBe(requests);
    }
  });

  test('where the date jumps ahead while the key server is away, the keys are relied on as before', async () => {
    const { server, protectedApp } = await setUp();
    await protectedApp.send(fresh());
    await server.goDown();
    for (const days of [1, 400]) {
      setDate(days * 24 * 60 * MINUTE);
      for (const _twice of [1, 2]) expect((await protectedApp.send(fresh())).status).toBe(200);
    }
  });

  test('the set is refreshed in the background before its time is up: no request waits for it', async () => {
    const { server, protectedApp } = await setUp();
    const token = fresh();
    await protectedApp.send(token);
    const { asked, release } = server.pause([signer.jwk]);
    passTime(9 * MINUTE);
    expect((await protectedApp.send(fresh())).status, 'while the key server has not answered').toBe(200);
    await asked;
    expect((await protectedApp.send(token)).status).toBe(200);
    release();
    expect(server.requests).toBe(2);
  });
});

describe('a server without requests for a while', () => {
  // The timers are moved by hand too; sockets and the key server stay real.
  const setUpIdle = async () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance', 'setTimeout', 'clearTimeout'], now: Date.now() });
    const { server, protectedApp } = await setUp();
    const token = fresh();
    expect((await protectedApp.send(token)).status).toBe(200);
    const idle = async (minutes: number, fetches: number) => {
      vi.advanceTimersByTime(minutes * MINUTE);
      await vi.waitUntil(() => server.requests === fetches, { timeout: 15_000 });
      // The answer is on its way: real time has to pass, and this process has to have its turns. Its clock is faked.
      const soon = process.hrtime.bigint() + 400_000_000n;
      for (let turn = 0; turn < 200 || process.hrtime.bigint() < soon; turn += 1) await new Promise(setImmediate);
    };
    return { server, protectedApp, token, idle };
  };

  test('has refreshed its keys all the same: the first request does not wait, and its token is still remembered', async () => {
    const { server, protectedApp, token, idle } = await setUpIdle();
    for (let fetches = 2; fetches <= 5; fetches += 1) await idle(8, fetches);
    server.answer(() => undefined);
    for (const each of [token, fresh()]) expect((await protectedApp.send(each)).status).toBe(200);
    expect(server.requests).toBe(5);
  });

  test('asks a key server that is away every 30 seconds, so that a key that was withdrawn is found out', async () => {
    const { server, protectedApp, token, idle } = await setUpIdle();
    server.answer((res) => void res.writeHead(500).end());
    await idle(8, 2);
    expect((await protectedApp.send(fresh())).status, 'relied on').toBe(200);
    await idle(0.5, 3);
    server.answer([createSigner().jwk]);
    await idle(0.5, 4);
    // The answer of the key server may still be on its way.
    for (let tries = 0; tries < 500 && (await protectedApp.send(token)).status === 200; tries += 1);
    for (const each of [token, fresh()]) expectInvalidToken(await protectedApp.send(each), UNKNOWN_KEY);
  });
});
