import { expect, test } from 'vitest';
import { createSeal } from '../../src/core/seal.js';
import { createIssuedTokens, type IssuedToken, type IssuedTokenBinding } from '../../src/oauth/issued-token.js';
import { altered } from '../support/altered.js';

const SECRET = 'a secret of thirty-two characters';
const OTHER = 'another secret of thirty-two chars';
const BINDING: IssuedTokenBinding = {
  resource: 'https://mcp.example/mcp',
  issuer: 'https://github.com',
  clientId: 'our-app',
};
const tokens = createIssuedTokens([SECRET], BINDING);
const CONTENTS: IssuedToken = {
  subject: '583231',
  clientId: 'a-client',
  scopes: ['mcp.read'],
  issuedAt: 1_800_000_000,
  expiresAt: 1_800_003_600,
  id: 'abcdefghijkl',
  login: 'abcdefghijklmnop',
  claims: { login: 'octocat' },
  upstream: { token: `gho_${'x'.repeat(36)}`, expiresAt: undefined },
};
const token = tokens.issue(CONTENTS) ?? '';
const boundTo = Object.values(BINDING);

test('opens what it issued, and hides it', () => {
  expect(tokens.open(token)).toEqual(CONTENTS);
  expect(token).toMatch(/^emat_[A-Za-z0-9_-]+$/);
  expect(Buffer.from(token.slice(5), 'base64url').toString('latin1')).not.toMatch(/octocat|gho_|583231/);
  expect(tokens.issue(CONTENTS)).not.toBe(token);
});

test('a token that contains one of 40 characters has at most 400', () => {
  expect(token.length).toBeLessThanOrEqual(400);
});

test('a token keeps the expiry of the upstream token', () => {
  const upstream = { token: 'x', expiresAt: 1_800_001_000 };
  expect(tokens.open(tokens.issue({ ...CONTENTS, upstream }) ?? '')?.upstream).toEqual(upstream);
});

/** Every way to make the sealed part of a token with the same secret, but for something else. */
const sealedFor = (purpose: 'token' | 'other', derivation?: string) =>
  `emat_${createSeal<Record<string, object>>([SECRET], boundTo, { token: {}, other: {} }, derivation === undefined ? {} : { derivation }).close(purpose, {})}`;

test.each<[string, IssuedToken | undefined]>([
  ['altered', tokens.open(`emat_${altered(token.slice(5), 40)}`)],
  ['a capital in the prefix', tokens.open(`Emat_${token.slice(5)}`)],
  ['without its prefix', tokens.open(token.slice(5))],
  ['with the prefix of an API key', tokens.open(`emak_${token.slice(5)}`)],
  ['padded', tokens.open(`${token}=`)],
  ['cut off', tokens.open(token.slice(0, -1))],
  ['the prefix alone', tokens.open('emat_')],
  ['6,145 characters', tokens.open(`emat_${'A'.repeat(6_140)}`)],
  ['another secret', createIssuedTokens([OTHER], BINDING).open(token)],
  ['another resource', createIssuedTokens([SECRET], { ...BINDING, resource: 'https://mcp.example/' }).open(token)],
  ['another identity provider', createIssuedTokens([SECRET], { ...BINDING, issuer: 'https://x.example' }).open(token)],
  ['another client there', createIssuedTokens([SECRET], { ...BINDING, clientId: 'other' }).open(token)],
  ['the seal of the OAuth proxy', tokens.open(sealedFor('token'))],
  ['another purpose', tokens.open(sealedFor('other', 'express-mcp-auth issued token'))],
  ['another form', tokens.open(sealedFor('token', 'express-mcp-auth issued token'))],
])('a token does not open: %s', (_name, opened) => {
  expect(opened).toBeUndefined();
});

test('the contents of a token open for nothing else that is sealed with the same secret', () => {
  const proxy = createSeal<Record<'token', object>>([SECRET], boundTo, { token: {} });
  expect(proxy.open('token', token.slice(5))).toBeUndefined();
});

test('after a rotation the old secret still opens, and the new one seals', () => {
  const rotated = createIssuedTokens([OTHER, SECRET], BINDING);
  expect(rotated.open(token)).toEqual(CONTENTS);
  const newer = rotated.issue(CONTENTS) ?? '';
  expect(createIssuedTokens([OTHER], BINDING).open(newer)).toEqual(CONTENTS);
  expect(tokens.open(newer)).toBeUndefined();
});

test.each([
  [4_000, true],
  [4_600, false],
])('a token that contains one of %i characters is issued: %s', (length, isIssued) => {
  const issued = tokens.issue({ ...CONTENTS, upstream: { token: 'x'.repeat(length), expiresAt: undefined } });
  expect(issued !== undefined).toBe(isIssued);
});
