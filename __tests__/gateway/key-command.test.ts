import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { runKeyCommand } from '../../src/gateway/key-command.js';
import { parseApiKeys } from '../../src/policy/resolve-api-keys.js';

test.each([
  ['no options', [], {}],
  [
    'every option',
    ['--subject', 'ci', '--scopes', 'a b,c', '--expires', '2099-01-31'],
    { subject: 'ci', scopes: ['a', 'b', 'c'], expires: '2099-01-31' },
  ],
])('%s: a key with 256 random bits, and an entry that a policy accepts', (_name, options, known) => {
  const [created, other] = [runKeyCommand(['create', ...options]), runKeyCommand(['create', ...options])];
  expect(created?.key).toMatch(/^emak_[\w-]{43}$/);
  expect(created?.entry).toEqual({
    sha256: createHash('sha256')
      .update(created?.key ?? '')
      .digest('hex'),
    ...known,
  });
  expect(created?.key).not.toBe(other?.key);
  expect(parseApiKeys(JSON.stringify([created?.entry, other?.entry])).size).toBe(2);
});

test.each([
  ['no command', [], 'the only command for keys is "create"'],
  ['another command', ['delete'], 'the only command for keys is "create"'],
  [
    'a second scope without quotes',
    ['create', '--scopes', 'a', 'b'],
    'unexpected argument: use --subject NAME, or quote several scopes, "a b"',
  ],
  ['an unknown option', ['create', '--scope', 'a'], "Unknown option '--scope'"],
  ['an empty subject', ['create', '--subject', ''], 'no key was made: its "subject" is no text'],
  ['a scope with a quote', ['create', '--scopes', 'a"b'], 'no key was made: its "scopes" are not a list of scopes'],
  [
    'a word as a date',
    ['create', '--expires', 'soon'],
    'no key was made: its "expires" is no date such as 2027-01-31 or 2027-01-31T12:00:00Z',
  ],
  ['a date in the past', ['create', '--expires', '2020-01-01'], '--expires is in the past'],
])('%s is refused', (_name, args, message) => {
  expect(() => runKeyCommand(args)).toThrow(`${message}. See express-mcp-auth key --help.`);
});

test('--help makes no key', () => {
  expect(runKeyCommand(['create', '--help'])).toBeUndefined();
});
