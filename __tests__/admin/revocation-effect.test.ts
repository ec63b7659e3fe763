import { expect, test } from 'vitest';

// The script of the page, which has no types here.
const SCRIPT = new URL('../../src/admin/page/revocation-effect.js', import.meta.url).href;
const { revocationEffect } = (await import(SCRIPT)) as {
  readonly revocationEffect: (kind: 'user' | 'client', issuer: string) => string;
};

const KEYS = 'urn:express-mcp-auth:api-key';

test.each<[kind: 'user' | 'client', issuer: string, says: RegExp, saysNot: RegExp]>([
  ['user', 'https://auth.example.com', /new login .*iat/, /API key/],
  ['client', 'https://auth.example.com', /new login .*iat/, /API key/],
  ['user', KEYS, /made later for this user are refused too.*remove its entry, or revoke its client/, /login/],
  ['client', KEYS, /this API key alone/, /login/],
])('the dialog that revokes the tokens of a %s of %s says who may call again', (kind, issuer, says, saysNot) => {
  expect(revocationEffect(kind, issuer)).toMatch(says);
  expect(revocationEffect(kind, issuer)).not.toMatch(saysNot);
});
