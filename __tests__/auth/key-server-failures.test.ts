import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { expectUnavailable, fresh, MINUTE, passTime, setUp, signer } from '../support/app-with-key-server.js';
import { claims, createProtectedApp, expectInvalidToken, ISSUER } from '../support/protected-app.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { createSigner } from '../support/signer.js';

afterEach(() => void vi.useRealTimers());

/** Here the clock for durations moves only when a test moves it. */
const stopTheClock = () => vi.useFakeTimers({ toFake: ['performance'] });

describe('a key server that misbehaves', () => {
  const json = (body: string) => (res: ServerResponse) =>
    void res.writeHead(200, { 'content-type': 'application/json' }).end(body);

  const failures: [name: string, answer: (res: ServerResponse) => void, line: RegExp][] = [
    ['answers 500', (res) => void res.writeHead(500).end('{"keys":[]}'), /status 500/],
    ['answers 404', (res) => void res.writeHead(404).end(), /status 404/],
    ['redirects', (res) => void res.writeHead(302, { location: '/elsewhere' }).end(), /status 302/],
    ['answers HTML', (res) => void res.end('<html>'), /not a JSON object/],
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
      const { lines, logger } = createRecordingLogger();
      const { server, protectedApp } = await setUp({ logger });
      // The next fetch is due a second later.
      stopTheClock();
      server.answer(answer);
      for (const _ of [1, 2, 3]) await expectUnavailable(protectedApp, fresh());
      expect(server.requests).toBe(1);
      const errors = lines.filter((text) => text.startsWith('error key set of'));
      expect(errors).toHaveLength(1);
      expect(errors[0]).toMatch(line);
    },
  );

  test.each([
    ['a derived URL that answers 404', 404, true, true],
    ['a derived URL that answers 500', 500, true, false],
    ['a URL from the policy that answers 404', 404, false, false],
  ])('%s: the log says how to name the URL only if that can help', async (_name, status, isDerived, isSaid) => {
    const { lines, logger } = createRecordingLogger();
    const { server, protectedApp: configured } = await setUp({ logger });
    const issuer = new URL(server.url).origin;
    const derived = createProtectedApp({ issuer, jwks: undefined, logger }, signer);
    server.answer((res) => void res.writeHead(status).end());
    const token = signer.sign(claims({ iss: isDerived ? issuer : ISSUER }));
    await expectUnavailable(isDerived ? derived : configured, token);
    const advice =
      '. The issuer has no metadata and the policy no jwks, so this URL follows from the issuer: set jwks: { url: … } to the address of its keys';
    const [line = ''] = lines.filter((text) => text.startsWith('error key set of'));
    expect(line).toContain(`failed: it answered with status ${status}`);
    expect(line.endsWith(advice)).toBe(isSaid);
  });

  test('cold and down: each fetch that fails doubles the time to the next one, up to 30 seconds', async () => {
    const { server, protectedApp } = await setUp();
    stopTheClock();
    server.answer((res) => void res.writeHead(500).end());
    for (const [failures, seconds] of [1, 2, 4, 8, 16, 30, 30].entries()) {
      expect(await expectUnavailable(protectedApp, fresh())).toBe(seconds);
      vi.advanceTimersByTime(seconds * 1000 - 1);
      expect(await expectUnavailable(protectedApp, fresh()), 'no fetch before that').toBe(1);
      expect(server.requests).toBe(failures + 1);
      vi.advanceTimersByTime(1);
    }
    server.answer([signer.jwk]);
    expect((await protectedApp.send(fresh())).status).toBe(200);
  });

  test('warm and down: 30 seconds from one fetch to the next', async () => {
    const { server, protectedApp } = await setUp();
    stopTheClock();
    await protectedApp.send(fresh());
    server.answer((res) => void res.writeHead(500).end());
    for (const fetches of [2, 3]) {
      expect(await expectUnavailable(protectedApp, fresh(createSigner()))).toBe(30);
      vi.advanceTimersByTime(29_999);
      expect(await expectUnavailable(protectedApp, fresh(createSigner()))).toBe(1);
      expect(server.requests).toBe(fetches);
      vi.advanceTimersByTime(1);
    }
  });

  test('warm and down: known keys go on for staleIfErrorSeconds, and then it is 503', async () => {
    const { server, protectedApp } = await setUp({ staleIfErrorSeconds: 3600 });
    const remembered = fresh();
    expect((await protectedApp.send(remembered)).status).toBe(200);
    await server.goDown();
    passTime(30 * MINUTE);
    expect((await protectedApp.send(fresh())).status, 'a token not seen before').toBe(200);
    expect((await protectedApp.send(remembered)).status).toBe(200);
    passTime(31 * MINUTE);
    await expectUnavailable(protectedApp, fresh());
  });

  test('warm and down: an unknown kid may be a new key, so its token is not blamed', async () => {
    const { server, protectedApp } = await setUp();
    await protectedApp.send(fresh());
    await server.goDown();
    await expectUnavailable(protectedApp, fresh(createSigner()));
    expect((await protectedApp.send(fresh())).status).toBe(200);
  });

  test('the token of an unknown issuer costs no fetch', async () => {
    const { server, protectedApp } = await setUp();
    expectInvalidToken(
      await protectedApp.send(signer.sign(claims({ iss: 'x' }))),
      'The issuer of the token is not accepted here',
    );
    expect(server.requests).toBe(0);
  });
});

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
