import { describe, expect, test } from 'vitest';
import { ExpandedTexts } from '../../src/gateway/config/variables.js';
import { parseYaml } from '../../src/gateway/config/yaml-document.js';

const bomb = ['a: &a [x, x, x, x, x, x, x, x, x]']
  .concat(['b', 'c', 'd', 'e'].map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcd'[i]}`).join(', ')}]`))
  .join('\n');

const read = (text: string, env: Record<string, string> = {}) => parseYaml(text, new ExpandedTexts(env));

describe('parseYaml', () => {
  test('knows the place of each value', () => {
    const [first] = read('list:\n- "a b": 1')
      .members({ list: { isRequired: true } })
      .list.items();
    expect(first?.children().map(([, { path, value }]) => [path, value])).toEqual([['list[0]["a b"]', 1]]);
  });

  test('takes keys as text', () => {
    expect(read('1: a\ntrue: b').value).toEqual({ 1: 'a', true: 'b' });
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
    [
      'another version of YAML, in which a mapping may be something else',
      '%YAML 1.1\n---\nsenderConstraint: !!omap [dpop: { required: true }]',
      'the document is written in YAML 1.1: remove the line "%YAML 1.1", and check it as YAML 1.2',
    ],
    [
      'a merge key',
      'a: &a { b: 1 }\nc: { <<: *a, d: 2 }',
      'c["<<"] is a merge key, which YAML 1.2 does not have: write its members here',
    ],
    ['a value within itself', 'a: &a\n  b: [*a]', 'a.b[0] contains itself'],
  ];
  test.each(refused)('refuses %s', (_what, text, message) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ name: 'StartupError', message }));
  });
});
