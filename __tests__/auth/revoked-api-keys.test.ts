import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createAppWithKeys } from '../support/api-keys.js';
import { createProtectedApp, expectInvalidToken } from '../support/protected-app.js';

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
    expectInvalidToken(await send(), 'The token has been revoked');
  });
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

test('without API keys, revoke() takes only what a token can be', () => {
  const { auth } = createProtectedApp({ verifiers: [() => undefined] });
  auth.revoke('opaque');
  expect(() => auth.revoke('a$b')).toThrow(new TypeError(MESSAGE));
});
