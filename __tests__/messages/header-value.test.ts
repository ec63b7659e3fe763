import { expect, test } from 'vitest';
import { decodeHeaderValue, encodeHeaderValue } from '../../src/messages/header-value.js';

const values: [what: string, header: string | undefined, text: string | undefined][] = [
  ['plain text', 'delete_file', 'delete_file'],
  ['a URI', 'file:///a?b=%20', 'file:///a?b=%20'],
  ['nothing between prefix and suffix', '=?base64??=', ''],
  ['the example of the specification', '=?base64?SGVsbG8sIOS4lueVjA==?=', 'Hello, 世界'],
  ['text that looks encoded, encoded', '=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=', '=?base64?literal?='],
  ['spaces at both ends', '=?base64?IHBhZGRlZCA=?=', ' padded '],
  ['a byte order mark, which belongs to the text', '=?base64?77u/YQ==?=', '\ufeffa'],
  ['prefix and suffix in capitals, which are plain text', '=?BASE64?SGVsbG8=?=', '=?BASE64?SGVsbG8=?='],
  ['the prefix alone', '=?base64?SGVsbG8=', '=?base64?SGVsbG8='],
  ['the suffix alone', 'SGVsbG8=?=', 'SGVsbG8=?='],
  ['no header', undefined, undefined],
  ['no padding', '=?base64?ZGVsZXRlX2ZpbGU?=', undefined],
  ['half the padding', '=?base64?SGVsbG8sIOS4lueVjA=?=', undefined],
  ['too much padding', '=?base64?SGVsbG8==?=', undefined],
  ['unused bits that are set', '=?base64?SGVsbG9=?=', undefined],
  ['the alphabet for URLs', '=?base64?77u_YQ==?=', undefined],
  ['a space within', '=?base64?SGVs bG8=?=', undefined],
  ['text after the padding', '=?base64?SGVsbG8=SGVs?=', undefined],
  ['no Base64 at all', '=?base64?!?=', undefined],
  ['a prefix and a suffix that overlap', '=?base64?=', undefined],
  ['bytes that are not UTF-8', '=?base64?wIA=?=', undefined],
  ['a surrogate in UTF-8', '=?base64?7aCA?=', undefined],
  ['a character beyond ASCII', 'caf\u00e9', undefined],
  ['a control character', 'a\u007f', undefined],
];

test.each(values)('%s', (_what, header, text) => {
  expect(decodeHeaderValue(header)).toBe(text);
});

test.each(['plain', 'with space', '', ' at the ends\t', 'wörk', '😀', 'a\nb', '=?base64?eA==?='])(
  '%j is encoded as a value that decodes to it',
  (value) => {
    const encoded = encodeHeaderValue(value);
    expect(encoded).toMatch(/^[\x20-\x7e]*$/);
    expect(decodeHeaderValue(encoded)).toBe(value);
  },
);
