import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { withSentence } from '../../src/core/sentences.js';
import { ROOT } from '../support/program.js';

test.each([
  [
    'a.yaml: oops is not supported. Supported here: binds.',
    'a.yaml: oops is not supported. Supported here: binds. It stays',
  ],
  ['a.pem: the file does not exist', 'a.pem: the file does not exist. It stays'],
])('%s', (message, expected) => {
  expect(withSentence(message, 'It stays')).toBe(expected);
});

test('no other place puts a sentence after the message of an error: two full stops would follow some', () => {
  const folder = join(ROOT, 'src');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const wrong = files.filter((name) => /\.message\}\. /.test(readFileSync(join(folder, name), 'utf8')));
  expect(wrong).toEqual([]);
});
