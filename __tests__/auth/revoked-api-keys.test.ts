import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { McpAuth } from '../../src/index.js';
import { createAppWithKeys } from '../support/api-keys.js';
import { claims, createProtectedApp, expectInvalidToken } from '../support/protected-app.js';
import { createSigner } from '../support/signer.js';

const REVOKED = 'The token has been revoked';
const sha256Of = (key: string) => createHash('sha256').update(key).digest('hex');

describe.each([
  ['abc$def{ghi}:1'],
  ['a key, with spaces!'],
  ['a\tb'],
  ['bearer:1'],
  ['!'],
  ['$a.b.c'],
  ['a=b=c'],
  ['schl\u00fcssel'],
])('the key %j', (key) => {
  const entry = { sha256: sha256Of(key) };
  test.each<[whose: string, apiKeys: unknown]>([
    ['a list', [entry]],
    ['a function', (sha256: string) => (sha256 === entry.sha256 ? {} : undefined)],
  ])('of %s is refused after revoke()', async (_whose, apiKeys) => {
    const { withHeaders, auth } = createAppWithKeys(apiKeys);
    const send = () => withHeaders({ 'x-api-key': key });
    expect((await send()).status).toBe(200);
    auth.revoke(key);
    expectInvalidToken(await send(), REVOKED);
  });
});

const jwt = createSigner().sign(claims());
/** Another key that begins alike. */
const besides = (key: string) => `${key.slice(0, key.lastIndexOf('.'))}.abcd`;

describe.each<[what: string, key: string]>([
  ['with two dots', 'app.prod.k1'],
  ['with two dots and a $', '$a.b.c'],
  ['that is a JWT', jwt],
])('a key %s in a list', (_what, key) => {
  const other = besides(key);
  const send = (app: ReturnType<typeof createAppWithKeys>, text: string) => app.withHeaders({ 'x-api-key': text });

  test('is revoked alone, and not another one that begins alike', async () => {
    const app = createAppWithKeys([key, other].map((text) => ({ sha256: sha256Of(text) })));
    app.auth.revoke(key);
    expectInvalidToken(await send(app, key), REVOKED);
    expect((await send(app, other)).status).toBe(200);
  });
});

test.each<[what: string, key: string]>([
  ['with two dots', 'app.prod.k1'],
  ['that is a JWT', jwt],
])('a key %s, of a function, is refused after revoke()', async (_what, key) => {
  const { withHeaders, auth } = createAppWithKeys(() => ({}));
  auth.revoke(key);
  expectInvalidToken(await withHeaders({ 'x-api-key': key }), REVOKED);
});

test('the key of a function is revoked alone, and not another one that begins alike', async () => {
  const { withHeaders, auth } = createAppWithKeys(() => ({}));
  auth.revoke('app.prod.k1');
  expect((await withHeaders({ 'x-api-key': 'app.prod.k2' })).status).toBe(200);
});

const MESSAGE = 'revoke() takes a token or an API key, without "Bearer" before it';

test.each([
  ['Bearer key'],
  ['bearer\tkey'],
  ['DPoP key'],
  [' key'],
  ['key\t'],
  ['key\n'],
  ['a\nb'],
  ['\u043a\u043b\u044e\u0447'],
  [''],
])('revoke(%j) throws, since no header brings such a key, and it would let the key in', (text) => {
  expect(() => createAppWithKeys([]).auth.revoke(text)).toThrow(new TypeError(MESSAGE));
});

test.each([['Bearer q'], ['bearer\tq'], ['DPoP x$y']])(
  'the key %j in x-api-key is unknown, even if a list has its hash: revoke() does not take it',
  async (key) => {
    const entry = { sha256: sha256Of(key) };
    for (const apiKeys of [[entry], () => entry]) {
      const { withHeaders } = createAppWithKeys(apiKeys);
      expectInvalidToken(await withHeaders({ 'x-api-key': key }), 'The API key is not known here');
    }
  },
);

test('without API keys, revoke() takes only what a token can be', () => {
  const { auth } = createProtectedApp({ verifiers: [() => undefined] });
  auth.revoke('opaque');
  expect(() => auth.revoke('a$b')).toThrow(new TypeError(MESSAGE));
});

const ISSUER = 'urn:express-mcp-auth:api-key';

test.each<[what: string, statusOfLater: number, whose: Parameters<McpAuth['revoke']>[0]]>([
  ['a user', 401, { subject: 'ci', issuer: ISSUER }],
  ['the client of a key', 200, { client: `key-${sha256Of('leaked').slice(0, 32)}`, issuer: ISSUER }],
  ['a key', 200, 'leaked'],
])('after revoking %s, another key of the same user is answered %i', async (_what, statusOfLater, whose) => {
  const { withHeaders, auth } = createAppWithKeys(
    ['leaked', 'later'].map((key) => ({ sha256: sha256Of(key), subject: 'ci' })),
  );
  auth.revoke(whose);
  expectInvalidToken(await withHeaders({ 'x-api-key': 'leaked' }), REVOKED);
  expect((await withHeaders({ 'x-api-key': 'later' })).status).toBe(statusOfLater);
});
