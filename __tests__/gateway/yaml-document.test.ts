import { describe, expect, test } from 'vitest';
import { parseYaml } from '../../src/gateway/config/yaml-document.js';

const bomb = ['a: &a [x, x, x, x, x, x, x, x, x]']
  .concat(['b', 'c', 'd', 'e'].map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcd'[i]}`).join(', ')}]`))
  .join('\n');

describe('parseYaml', () => {
  test('knows the place of each value', () => {
    const [first] = parseYaml('list:\n- "a b": 1')
      .members({ required: ['list'] })
      .list.items();
    expect(first?.children().map(([, { path, value }]) => [path, value])).toEqual([['list[0]["a b"]', 1]]);
  });

  test('takes keys as text', () => {
    expect(parseYaml('1: a\ntrue: b').value).toEqual({ 1: 'a', true: 'b' });
  });

  const refused: ReadonlyArray<readonly [what: string, text: string, message: string]> = [
    ['a duplicate key', 'a: 1\nb: 2\na: 3', 'line 3, column 1 cannot be read as YAML: Map keys must be unique'],
    ['a tab', 'a:\n\tb: 1', 'line 2, column 1 cannot be read as YAML: Tabs are not allowed as indentation'],
    ['a second document', 'a: 1\n---\nb: 2', 'line 2, column 1 cannot be read as YAML: a second document begins here'],
    ['an unknown tag', 'a: !secret b', 'line 1, column 4 cannot be read as YAML: Unresolved tag: !secret'],
    [
      'a tag that changes the type of a text',
      'a: !!binary aGVsbG8=',
      'line 1, column 4 cannot be read as YAML: Unresolved tag: tag:yaml.org,2002:binary',
    ],
    [
      'a list as a key',
      '? [a]\n: 1',
      'line 1, column 3 cannot be read as YAML: With stringKeys, all keys must be strings',
    ],
    [
      'an alias without an anchor',
      'a: *b',
      'the document cannot be read as YAML: Unresolved alias (the anchor must be set before the alias): b',
    ],
    [
      'an alias bomb',
      bomb,
      'the document cannot be read as YAML: Excessive alias count indicates a resource exhaustion attack',
    ],
    ['a value within itself', 'a: &a\n  b: [*a]', 'a.b[0] contains itself'],
    ['a variable', 'a: [x, $HOME/bin]', 'a[1] has $HOME, but variables are not expanded: write the value itself'],
  ];
  test.each(refused)('refuses %s', (_what, text, message) => {
    expect(() => parseYaml(text)).toThrow(expect.objectContaining({ name: 'StartupError', message }));
  });

  test.each(['$', 'a$', '$1', 'US$ 5', '$$'])('accepts %s, which is not a variable', (text) => {
    expect(parseYaml(`a: '${text}'`).value).toEqual({ a: text });
  });
});
