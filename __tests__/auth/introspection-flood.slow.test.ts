import { afterEach, expect, test, vi } from 'vitest';
import { createCredentialVerifiers } from '../../src/auth/credential/credential-verifiers.js';
import { createTokenVerifier } from '../../src/auth/token/token-verifier.js';
import type { AuthError, UpstreamError } from '../../src/core/errors.js';
import { resolveAuth } from '../../src/policy/resolve-auth.js';
import { passTime } from '../support/app-with-key-server.js';
import { good } from '../support/good-policy.js';
import { setUpIntrospection, startIntrospectionServer } from '../support/introspection-server.js';
import { serve } from '../support/loopback-server.js';
import { memoryInUse } from '../support/memory-in-use.js';

afterEach(() => void vi.useRealTimers());

const CALLS_PER_SECOND = 10;
const MIB = 2 ** 20;

function expectBounded(calls: number, began: number): void {
  const seconds = (performance.now() - began) / 1_000;
  expect(calls).toBeLessThanOrEqual(1 + CALLS_PER_SECOND * (seconds + 1));
}

test('10,000 made-up tokens cost a bounded number of calls a second, and no memory', async () => {
  const server = await startIntrospectionServer();
  const introspection = { ...server.introspection, maxCallsPerSecond: CALLS_PER_SECOND };
  const policy = resolveAuth('mcpAuth()', { ...good, introspection });
  const verifier = createTokenVerifier(policy, createCredentialVerifiers(policy));
  const codes = new Set<string>();
  const verify = (token: string) =>
    verifier.verify(token).catch(({ code }: AuthError | UpstreamError) => codes.add(code));
  const before = await memoryInUse();
  const began = performance.now();
  for (let i = 0; i < 10_000; i += 100) {
    await Promise.all(Array.from({ length: 100 }, (_, k) => verify(`${'x'.repeat(4_000)}${i + k}`)));
  }
  expectBounded(server.asked.length, began);
  expect([...codes].toSorted()).toEqual(['inactive_token', 'too_many_unknown_tokens']);
  expect((await memoryInUse()) - before).toBeLessThan(8 * MIB);
});

test('known tokens pass while others send made-up ones, also when they are asked about again', async () => {
  const { server, protectedApp } = await setUpIntrospection({ introspection: { maxCallsPerSecond: CALLS_PER_SECOND } });
  const url = `${await serve(protectedApp.app)}/mcp`;
  const known = server.issue();
  const send = async (token: string) => {
    const { status, headers, body } = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
    await body?.cancel();
    if (status === 503) expect(headers.get('retry-after')).toBe('1');
    return status;
  };
  expect(await send(known)).toBe(200);
  for (let round = 0; round < 5; round += 1) {
    const began = performance.now();
    const before = server.asked.length;
    const statuses = await Promise.all(Array.from({ length: 100 }, () => send(`made-up-${Math.random()}`)));
    expectBounded(server.asked.length - before, began);
    expect([...new Set(statuses)].filter((status) => status !== 401)).toEqual([503]);
    expect(await send(known)).toBe(200);
    passTime(61_000);
    await Promise.all(Array.from({ length: 30 }, () => send(`made-up-${Math.random()}`)));
    expect(await send(known)).toBe(200);
  }
});
