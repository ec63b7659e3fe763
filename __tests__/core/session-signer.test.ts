import { createHmac, hkdfSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { createMac, createSessionSigner } from '../../src/core/session-signer.js';
import { altered } from '../support/altered.js';

const FIRST = 'f'.repeat(32);
const SECOND = 's'.repeat(32);
const ID = '0e0a8a52-2c1d-4d0e-9d3f-8f0f5d1c7b11';
const ALICE = '[["https://issuer.example","alice"],"client"] /mcp';
const signer = createSessionSigner([FIRST]);
const signed = signer.sign(ID, ALICE);

/** Another text that a lenient reader of base64url takes for the same bytes. */
function respelt(text: string): string {
  const last = text.slice(-1);
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const other = alphabet[alphabet.indexOf(last) ^ 1];
  expect(Buffer.from(text.slice(-43, -1) + other, 'base64url')).toEqual(Buffer.from(text.slice(-43), 'base64url'));
  return text.slice(0, -1) + other;
}

test('a signed UUID has 80 characters, and is the same whenever it is signed', () => {
  expect(signed).toHaveLength(80);
  expect(signed).toMatch(/^[\w.-]+$/);
  expect(createSessionSigner([FIRST]).sign(ID, ALICE)).toBe(signed);
});

test.each([
  ['the id of a UUID', ID],
  ['one character', 'a'],
  ['dots', 'a.b..c.'],
  ['a text that looks signed', signed],
  ['a name that every object has', '__proto__'],
  ['characters above 127', 'sitzung-\u00fc'],
  ['4,000 characters', 'x'.repeat(4_000)],
])('verifies what it signed: %s', (_name, id) => {
  expect(signer.verify(signer.sign(id, ALICE), ALICE)).toBe(id);
});

test.each([
  ['the id alone', ID],
  ['an empty text', ''],
  ['no id', signer.sign('', ALICE)],
  ['another user', signer.sign(ID, ALICE.replace('alice', 'bob'))],
  ['another path', signer.sign(ID, `${ALICE}2`)],
  ['an anonymous caller', signer.sign(ID, 'anonymous /mcp')],
  ['another secret', createSessionSigner([SECOND]).sign(ID, ALICE)],
  ['another id', signed.replace('0e0a', '0e0b')],
  ['other capitals in the id', signed.replace('0e0a', '0E0A')],
  ['another signature', altered(signed, -2)],
  ['the same bytes in another spelling', respelt(signed)],
  ['padding', `${signed}=`],
  ['a character less', signed.slice(0, -1)],
  ['a character in the place of the dot', signed.replace('.', '_')],
  ['characters above 127 in the signature', `${signed.slice(0, -1)}\u0141`],
  ['a part of the id moved into the owner', signer.sign(`${ID}\n${ALICE}`, '')],
  ['more than 4,096 characters', signer.sign('x'.repeat(5_000), ALICE)],
])('does not verify %s', (_name, text) => {
  expect(signer.verify(text, ALICE)).toBeUndefined();
});

test('of a list of secrets the first signs and all verify', () => {
  const rotated = createSessionSigner([SECOND, FIRST]);
  expect(rotated.verify(signed, ALICE)).toBe(ID);
  expect(rotated.sign(ID, ALICE)).toBe(createSessionSigner([SECOND]).sign(ID, ALICE));
  expect(signer.verify(rotated.sign(ID, ALICE), ALICE)).toBeUndefined();
});

test.each([0, 1, 31, 32, 63, 64, 65, 1_000])(
  'the signature is the HMAC-SHA-256 that Node makes, of %i characters',
  (length) => {
    const derived = Buffer.from(hkdfSync('sha256', FIRST, '', 'express-mcp-auth session ids', 32)).toString('hex');
    for (const text of ['x'.repeat(length), '\u00fc'.repeat(length), `\u{1f511}${'\0'.repeat(length)}`]) {
      expect(createMac(FIRST)(text)).toBe(createHmac('sha256', derived).update(text).digest('base64url'));
    }
  },
);
