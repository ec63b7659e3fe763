import { expect, test } from 'vitest';
import { evaluate } from '../support/evaluated-expression.js';

/** The first lines are agentgateway's own tests. */
test.each([
  `'hello'.stripPrefix('he') == 'llo'`,
  `'hello'.stripPrefix('hi') == 'hello' && 'hello'.stripPrefix('') == 'hello'`,
  `'hello'.stripSuffix('lo') == 'hel'`,
  `'hello'.stripSuffix('hi') == 'hello' && 'hello'.stripSuffix('') == 'hello'`,
  `'hello hello'.replace('he', 'we') == 'wello wello'`,
  `'hello hello'.replace('he', 'we', -1) == 'wello wello'`,
  `'hello hello'.replace('he', 'we', 1) == 'wello hello'`,
  `'hello hello'.replace('he', 'we', 0) == 'hello hello'`,
  `'hello'.replace('', '_') == '_h_e_l_l_o_'`,
  `'hello hello'.replace('h', '') == 'ello ello'`,
  `string(base64Decode('aGVsbG8=')) == 'hello' && base64Decode(b'aGVsbG8=') == b'hello'`,
  `base64Decode('Zg==') == b'f' && base64Decode('Zg') == b'f' && base64Decode('Zg=') == b'f'`,
  `base64Decode('') == b'' && base64Decode('+/+/') == bytes(base64Decode('+/+/'))`,
  `''.stripPrefix('a') == '' && 'aa'.stripPrefix('a') == 'a' && 'a'.stripSuffix('aa') == 'a'`,
  `'aaa'.replace('aa', 'b') == 'ba' && 'aaa'.replace('a', 'aa', 2) == 'aaaaa'`,
  `'a'.replace('a', '$&$$') == '$&$$' && ''.replace('', '_') == '_'`,
  `'😀a'.replace('', '_') == '_😀_a_' && '😀a'.replace('', '_', 2) == '_😀_a'`,
  `'ab'.replace('', '_', 9) == '_a_b_' && 'ab'.replace('', '_', 1) == '_ab'`,
])('%s', (text) => expect(evaluate(text)).toBe(true));

test.each(['Z', 'Zg===', 'Zh', 'Zg==Zg==', 'aGVsbG8==', 'aGVs=', 'Zg\\n', ' Zg', '-_-_', '=', 'Zm9='])(
  'base64Decode() fails for %j, as agentgateway does',
  (text) => expect(evaluate(`base64Decode("${text}") == b"f"`)).toBe('malformed_text'),
);

test.each([
  ['bytes that are no UTF-8', 'Iv8i'],
  ['a byte order mark', '77u/MQ=='],
])('json() fails for %s, as agentgateway does', (_what, text) =>
  expect(evaluate(`type(json(base64Decode("${text}"))) != type(null)`)).toBe('malformed_json'),
);

test.each([
  ['long', 20_000, 20_000],
  // Their product has more than 31 bits.
  ['very long', 50_000, 50_000],
  ['longest', 65_000, 65_000],
])('a replacement that makes a %s text fails before it is made', (_what, one, other) => {
  const args = { text: 'a'.repeat(one), other: 'b'.repeat(other) };
  expect(evaluate('mcp.tool.arguments.text.replace("a", mcp.tool.arguments.other) == "b"', { args })).toBe(
    'too_much_work',
  );
});

test.each(['json(b).k == x', 'b == base64Decode(x)', 'size(string(b)) == 1'])(
  'bytes cost as much work as a text of their length: %s',
  (each) => {
    const json = Buffer.from(JSON.stringify({ k: 'x'.repeat(40_000) })).toString('base64');
    const args = { json, list: Array.from({ length: 1_000 }, () => '') };
    const text = `cel.bind(b, base64Decode(mcp.tool.arguments.json), mcp.tool.arguments.list.exists(x, ${each}))`;
    expect(evaluate(text, { args })).toBe('too_much_work');
  },
);
