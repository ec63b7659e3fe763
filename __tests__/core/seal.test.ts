import { expect, test } from 'vitest';
import { createSeal, SealTooLongError, type Shape } from '../../src/core/seal.js';

const SECRET = 'a secret of thirty-two characters';
const OTHER = 'another secret of thirty-two chars';
const RESOURCE = 'https://mcp.example/mcp';
const BOUND_TO = [RESOURCE, 'https://as.example', 'shared'];
const isNumber = (value: unknown): value is number => typeof value === 'number';
const SHAPE: Shape<{ a: number }> = { a: isNumber };
const sealOf = (secrets: readonly string[], boundTo: readonly (string | null)[]) =>
  createSeal<{ client: { a: number }; login: { a: number } }>(secrets, boundTo, { client: SHAPE, login: SHAPE });
const seal = sealOf([SECRET], BOUND_TO);
// A sealed value that base64 and base64url write differently.
const sealed =
  Array.from({ length: 100 }, () => seal.close('client', { a: 1 })).find((text) => /[-_]/.test(text)) ?? '';

test('opens what it closed, and hides it', () => {
  expect(seal.open('client', sealed)).toEqual({ a: 1 });
  expect(sealed).toMatch(/^[A-Za-z0-9_-]+$/);
  expect(Buffer.from(sealed, 'base64url').toString('latin1')).not.toContain('"a"');
  expect(seal.close('client', { a: 1 }), 'never the same twice').not.toBe(sealed);
});

test.each<[string, unknown]>([
  ['another purpose', seal.open('login', sealed)],
  [
    'another resource',
    sealOf([SECRET], ['https://mcp.example/other', 'https://as.example', 'shared']).open('client', sealed),
  ],
  ['another issuer', sealOf([SECRET], [RESOURCE, 'https://other.example', 'shared']).open('client', sealed)],
  ['another client', sealOf([SECRET], [RESOURCE, 'https://as.example', 'other']).open('client', sealed)],
  ['no client', sealOf([SECRET], [RESOURCE, 'https://as.example', null]).open('client', sealed)],
  ['another secret', sealOf([OTHER], BOUND_TO).open('client', sealed)],
  ['a random secret', sealOf([], BOUND_TO).open('client', sealed)],
  ['nothing', seal.open('client', undefined)],
  ['the empty string', seal.open('client', '')],
  ['text that is not a sealed value', seal.open('client', 'AAAA')],
  ['padding', seal.open('client', `${sealed}=`)],
  ['a space', seal.open('client', `${sealed} `)],
  ['another alphabet', seal.open('client', Buffer.from(sealed, 'base64url').toString('base64'))],
  ['a value that is too long', seal.open('client', 'A'.repeat(20_000))],
  ['an expired value', seal.open('client', seal.close('client', { a: 1 }, -1))],
])('a sealed value does not open: %s', (_name, opened) => {
  expect(opened).toBeUndefined();
});

test('opens what version 0.1 sealed', () => {
  const text = 'VRfKu3Du37DpuLORCf19eLzBriQE9Nw04wAZ7F0m1TVFSywEyGBtXXjE';
  expect(seal.open('client', text)).toEqual({ a: 1 });
});

test.each<[string, unknown]>([
  ['a member that is missing', {}],
  ['a member of another type', { a: '1' }],
  ['a list', [1]],
  ['null', null],
  ['a number', 1],
])('a sealed value of another shape does not open: %s', (_name, value) => {
  expect(seal.open('client', seal.close('client', value as never))).toBeUndefined();
});

test('a sealed value does not open after any bit was changed', () => {
  const bytes = Buffer.from(sealed, 'base64url');
  for (let i = 0; i < bytes.length; i++) {
    const changed = Buffer.from(bytes);
    changed.writeUInt8(bytes.readUInt8(i) ^ 1, i);
    expect(seal.open('client', changed.toString('base64url'))).toBeUndefined();
    expect(seal.open('client', bytes.subarray(0, i).toString('base64url'))).toBeUndefined();
  }
});

test('rotation: the first secret seals, all open', () => {
  const rotated = sealOf([OTHER, SECRET], BOUND_TO);
  expect(rotated.open('client', sealed)).toEqual({ a: 1 });
  expect(seal.open('client', rotated.close('client', { a: 2 }))).toBeUndefined();
  expect(sealOf([OTHER], BOUND_TO).open('client', rotated.close('client', { a: 2 }))).toEqual({ a: 2 });
});

test.each([
  ['client', 16_384],
  ['login', 40_000],
] as const)('never seals a value that does not open: %s, of %d characters', (purpose, maxLength) => {
  const isText = (value: unknown): value is string => typeof value === 'string';
  const shape: Shape<{ a: string }> = { a: isText };
  const texts = createSeal<{ client: { a: string }; login: { a: string } }>(
    [SECRET],
    BOUND_TO,
    { client: shape, login: shape },
    { maxLengths: { login: 40_000 } },
  );
  const longest = { a: 'x'.repeat((maxLength * 3) / 4 - 28 - '[null,{"a":""}]'.length) };
  const text = texts.close(purpose, longest);
  expect(text).toHaveLength(maxLength);
  expect(texts.open(purpose, text)).toEqual(longest);
  expect(() => texts.close(purpose, { a: `${longest.a}x` })).toThrow(SealTooLongError);
});
