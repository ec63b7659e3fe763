import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { canParseUrl } from '../../src/http/can-parse-url.js';
import { ROOT } from '../support/program.js';

/** More calls than V8 takes to compile a function. */
const MANY = 20_000;

test.each(['https://h.exam\u00adple/a', 'https://é.example', 'https://h.example/é', 'memo://\u00ad'])(
  '%j is a URL, however often it is asked',
  (text) => {
    const answers = new Set(Array.from({ length: MANY }, () => canParseUrl(text)));
    expect([...answers]).toEqual([true]);
    expect(() => new URL(text)).not.toThrow();
  },
);

test('a string is parsed with its base', () => {
  expect([canParseUrl('/a'), canParseUrl('/a', 'https://h.example'), canParseUrl('//[', 'https://h.example')]).toEqual([
    ...[false, true, false],
  ]);
});

test('no file of src asks URL.canParse()', () => {
  const folder = join(ROOT, 'src');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /\.[jt]s$/.test(name));
  const asking = files.filter((name) => /URL\.canParse\((?!\))/.test(readFileSync(join(folder, name), 'utf8')));
  expect(asking).toEqual([]);
});
