import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { claims, createGate, expectInvalidToken, type Gate } from '../support/gate.js';
import { type KeyServer, startKeyServer } from '../support/key-server.js';
import { createRecorder } from '../support/recorder.js';
import { createSigner } from '../support/signer.js';

const unknownKey = 'The token is signed with a key not known here';
const MINUTE = 60_000;
const signer = createSigner();

afterEach(() => void vi.useRealTimers());

/** Only the date moves: timers, sockets and the key server stay real. */
function passTime(ms: number): void {
  const now = Date.now() + ms;
  vi.useFakeTimers({ toFake: ['Date'], now });
}

/** A token that is good at the moment, however far the date has been moved. */
const fresh = (by = signer) => by.sign(claims({ jti: Math.random().toString() }));

async function setUp(options: Record<string, unknown> = {}): Promise<{ server: KeyServer; gate: Gate }> {
  const server = await startKeyServer([signer.jwk]);
  return { server, gate: createGate({ jwks: { url: server.url }, ...options }, signer) };
}

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
    const { serve } = await import('../support/serve.js');
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

  test('within the cool-down an unknown key is refused without a fetch, and found after it', async () => {
    const { server, gate } = await setUp();
    await gate.send(fresh());
    expectInvalidToken(await gate.send(fresh(createSigner())), unknownKey);
    const next = createSigner();
    server.answer([signer.jwk, next.jwk]);
    expectInvalidToken(await gate.send(fresh(next)), unknownKey);
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
    expectInvalidToken(await gate.send(token), unknownKey);
  });
});

describe('a key server that misbehaves', () => {
  const json = (body: string) => (res: ServerResponse) =>
    void res.writeHead(200, { 'content-type': 'application/json' }).end(body);

  const failures: [name: string, answer: (res: ServerResponse) => void, line: RegExp][] = [
    ['answers 500', (res) => void res.writeHead(500).end('{"keys":[]}'), /status 500/],
    ['answers 404', (res) => void res.writeHead(404).end(), /status 404/],
    ['redirects', (res) => void res.writeHead(302, { location: '/elsewhere' }).end(), /redirect/],
    ['answers HTML', (res) => void res.end('<html>'), /not JSON/],
    ['answers a list', json('[]'), /not a JSON object/],
    ['answers no keys', json('{"keys":[]}'), /its list of keys is empty/],
    ['answers something else', json('{"issuer":"x"}'), /no list called "keys"/],
    ['answers bytes that are no UTF-8', (res) => void res.end(Buffer.from([0x7b, 0xff])), /utf-8|encoded/i],
    ['hangs up', (res) => void res.socket?.destroy(), /ECONNRESET|UND_ERR_SOCKET|other side closed/],
    ['answers more than 256 KiB', json(`{"keys":[],"pad":"${'x'.repeat(300_000)}"}`), /larger than 262144 bytes/],
    ['answers 100 MB', hundredMegabytes, /larger than 262144 bytes/],
  ];

  test.each(failures)(
    'that %s: 503 with Retry-After while cold, one fetch, and a line in the log',
    async (_name, answer, line) => {
      const { lines, logger } = createRecorder();
      const { server, gate } = await setUp({ logger });
      server.answer(answer);
      for (const _ of [1, 2, 3]) await expectUnavailable(gate, fresh());
      expect(server.requests).toBe(1);
      const errors = lines.filter((text) => text.startsWith('error key set of'));
      expect(errors).toHaveLength(1);
      expect(errors[0]).toMatch(line);
    },
  );

  test('one that stalls is given up after 5 seconds', async () => {
    const { gate, server } = await setUp();
    server.answer((res) => void res.write('{'));
    const began = performance.now();
    await expectUnavailable(gate, fresh());
    expect(performance.now() - began).toBeGreaterThan(4_500);
    expect(performance.now() - began).toBeLessThan(9_000);
  });

  test('cold and down: 503; back again: 200 after the cool-down', async () => {
    const { server, gate } = await setUp();
    await server.goDown();
    await expectUnavailable(gate, fresh());
    await server.comeBack();
    await expectUnavailable(gate, fresh());
    passTime(31_000);
    expect((await gate.send(fresh())).status).toBe(200);
  });

  test('warm and down: known keys go on for staleIfErrorSeconds, and then it is 503', async () => {
    const { server, gate } = await setUp({ staleIfErrorSeconds: 3600 });
    const remembered = fresh();
    expect((await gate.send(remembered)).status).toBe(200);
    await server.goDown();
    passTime(30 * MINUTE);
    expect((await gate.send(fresh())).status, 'a token not seen before').toBe(200);
    expect((await gate.send(remembered)).status).toBe(200);
    passTime(31 * MINUTE);
    await expectUnavailable(gate, fresh());
  });

  test('warm and down: an unknown kid may be a new key, so nothing is said against its token', async () => {
    const { server, gate } = await setUp();
    await gate.send(fresh());
    await server.goDown();
    await expectUnavailable(gate, fresh(createSigner()));
    expect((await gate.send(fresh())).status).toBe(200);
  });

  test('the token of an unknown issuer costs no fetch', async () => {
    const { server, gate } = await setUp();
    expectInvalidToken(await gate.send(signer.sign(claims({ iss: 'x' }))), 'The token has an issuer not accepted here');
    expect(server.requests).toBe(0);
  });
});

async function expectUnavailable(gate: Gate, token: string): Promise<void> {
  const response = await gate.send(token);
  expect(response.status).toBe(503);
  expect(response.headers['www-authenticate']).toBeUndefined();
  const seconds = Number(response.headers['retry-after']);
  expect(seconds).toBeGreaterThanOrEqual(1);
  expect(seconds).toBeLessThanOrEqual(30);
}

function hundredMegabytes(res: ServerResponse): void {
  const chunk = Buffer.alloc(1_000_000, ' ');
  let sent = 0;
  const pump = () => {
    while (sent < 100 && res.write(chunk)) sent += 1;
    if (sent >= 100) res.end();
  };
  res.on('drain', pump).on('error', () => res.destroy());
  pump();
}
