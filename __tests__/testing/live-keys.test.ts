import express from 'express';
import request from 'supertest';
import { expect, test } from 'vitest';
import { type Jwks, mcpAuth } from '../../src/index.js';
import { createTestIssuer } from '../../src/testing/index.js';

const resource = 'https://mcp.example/mcp';

/** An app with a valid token. `around` wraps the function that returns the app's keys. */
function appWithKeys(around: (keys: () => Jwks) => () => Jwks) {
  const issuer = createTestIssuer();
  const policy = issuer.policy({ resource });
  const app = express().use(mcpAuth({ ...policy, jwks: around(policy.jwks as () => Jwks) }));
  app.use((_req, res) => res.end());
  const token = issuer.token();
  return async () => (await request(app).get('/mcp').auth(token, { type: 'bearer' })).status;
}

test('while a function throws, requests are answered 503', async () => {
  let isDown = false;
  const get = appWithKeys((keys) => () => {
    if (isDown) throw new Error('no connection');
    return keys();
  });
  expect(await get()).toBe(200);
  isDown = true;
  expect(await get()).toBe(503);
  isDown = false;
  expect(await get()).toBe(200);
});

test.each<[string, unknown]>([
  ['an empty key set', { keys: [] }],
  ['no key set', undefined],
  ['a set without a usable key', { keys: [{ kty: 'oct', k: 'AAAA' }] }],
])('if a function later returns %s, requests are answered 503', async (_name, broken) => {
  let isBroken = false;
  const get = appWithKeys((keys) => () => (isBroken ? (broken as Jwks) : keys()));
  expect(await get()).toBe(200);
  isBroken = true;
  expect(await get()).toBe(503);
});

test.each<[string, () => unknown, string]>([
  ['throws', throwing, 'a function that returns a key set (it threw Error: later)'],
  ['returns a promise', async () => ({ keys: [] }), 'a JSON Web Key Set'],
  ['returns nothing', () => undefined, 'a JSON Web Key Set'],
])('a function that %s is refused at construction', (_name, jwks, expected) => {
  const policy = createTestIssuer().policy({ resource });
  expect(() => mcpAuth({ ...policy, jwks: jwks as () => Jwks })).toThrow(`option "jwks" must be ${expected}`);
});

function throwing(): never {
  throw new Error('later');
}
