import { afterEach, expect, test, vi } from 'vitest';
import { fresh, MINUTE, passTime, setUp, signer } from '../support/app-with-key-server.js';
import { unreachableUrl } from '../support/loopback-server.js';
import { createProtectedApp, ISSUER, RESOURCE } from '../support/protected-app.js';

afterEach(() => void vi.useRealTimers());

test.each<[string, unknown, boolean]>([
  ['keys', { keys: [signer.jwk] }, true],
  ['a function', () => ({ keys: [signer.jwk] }), true],
  ['keys of which none is usable', { keys: [{ kty: 'oct' }] }, false],
])('ready() with %s', async (_name, jwks, expected) => {
  expect(await createProtectedApp({ jwks }, signer).auth.ready()).toBe(expected);
});

test('ready() is false while the function throws', async () => {
  let isBroken = false;
  const jwks = () => {
    if (isBroken) throw new Error('no keys');
    return { keys: [signer.jwk] };
  };
  const { auth } = createProtectedApp({ jwks }, signer);
  isBroken = true;
  expect(await auth.ready()).toBe(false);
  isBroken = false;
  expect(await auth.ready()).toBe(true);
});

test('ready() fetches the keys, so that the first token does not wait', async () => {
  const { server, protectedApp } = await setUp();
  expect(server.requests).toBe(0);
  expect(await Promise.all([protectedApp.auth.ready(), protectedApp.auth.ready()])).toEqual([true, true]);
  expect((await protectedApp.send(fresh())).status).toBe(200);
  expect(server.requests).toBe(1);
});

test('ready() is false while a cold server is down, asks at most once a cool-down, and then true', async () => {
  const { server, protectedApp } = await setUp();
  await server.goDown();
  for (const _ of [1, 2, 3]) expect(await protectedApp.auth.ready()).toBe(false);
  await server.comeBack();
  passTime(MINUTE);
  expect(await protectedApp.auth.ready()).toBe(true);
});

test('ready() stays true while known keys are relied on', async () => {
  const { server, protectedApp } = await setUp();
  await protectedApp.send(fresh());
  await server.goDown();
  passTime(60 * MINUTE);
  expect(await protectedApp.auth.ready()).toBe(true);
});

test('ready() is false if one of several issuers has no keys', async () => {
  const issuers = [
    { issuer: ISSUER, jwks: { keys: [signer.jwk] }, audiences: [RESOURCE] },
    { issuer: 'https://other.example', jwks: { url: await unreachableUrl() }, audiences: [RESOURCE] },
  ];
  expect(await createProtectedApp({ issuer: undefined, jwks: undefined, issuers }, signer).auth.ready()).toBe(false);
});
