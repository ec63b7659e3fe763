import { createServer } from 'node:http';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import type { AuthDecision } from '../../src/index.js';
import { expectUnavailable, fresh, MINUTE, passTime, setUp } from '../support/app-with-key-server.js';
import { listen, originOf, stop } from '../support/loopback-server.js';
import { claims, createProtectedApp } from '../support/protected-app.js';
import { createSigner } from '../support/signer.js';

afterEach(() => void vi.useRealTimers());

const signer = createSigner();

test('a token may have 16 KiB', async () => {
  const server = createServer({ maxHeaderSize: 65_536 }, createProtectedApp({}, signer).app);
  await listen(server);
  onTestFinished(() => stop(server));
  // Three bytes of JSON become four of base64url: with padding in one segment only, some lengths are impossible.
  const tokens = [0, 1, 2].flatMap((more) =>
    Array.from({ length: 16 }, (_, i) =>
      signer.sign(claims({ pad: 'x'.repeat(12_045 + i) }), { pad: 'x'.repeat(more) }),
    ),
  );
  const statusOf = async (token: string) =>
    (await fetch(`${originOf(server)}/mcp`, { headers: { authorization: `Bearer ${token}` } })).status;
  for (const token of tokens)
    expect(await statusOf(token), `${token.length} bytes`).toBe(token.length > 16_384 ? 400 : 200);
  expect(tokens.map(({ length }) => length)).toEqual(expect.arrayContaining([16_384, 16_385]));
});

test('keys are relied on for a day while their server is away', async () => {
  const { server, protectedApp } = await setUp();
  await protectedApp.send(fresh());
  await server.goDown();
  passTime(24 * 60 * MINUTE - MINUTE);
  expect((await protectedApp.send(fresh())).status).toBe(200);
  passTime(2 * MINUTE);
  await expectUnavailable(protectedApp, fresh());
});

test('a token is remembered for five minutes', async () => {
  const cached: boolean[] = [];
  const { send } = createProtectedApp({ onDecision: (decision: AuthDecision) => cached.push(decision.cached) }, signer);
  const token = signer.sign(claims());
  await send(token);
  for (const seconds of [299, 2]) {
    passTime(seconds * 1000);
    await send(token);
  }
  expect(cached).toEqual([false, true, false]);
});
