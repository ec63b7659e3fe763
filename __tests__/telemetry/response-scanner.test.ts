import { describe, expect, test } from 'vitest';
import { ResponseReader } from '../../src/telemetry/response-reader.js';
import { ResponseScanner, type ScannedResponse } from '../../src/telemetry/response-scanner.js';

/** Both find the same: the reader, which is what the package uses, and the scanner, which reads what the reader does not read as a whole. */
const FINDERS = { ResponseReader, ResponseScanner };
type FinderName = keyof typeof FINDERS;

/** The responses in a text that arrives in these pieces. */
function find(finder: FinderName, pieces: readonly Buffer[], maxCollected: number): ScannedResponse[] {
  const found: ScannedResponse[] = [];
  const reader = new FINDERS[finder]({ onResponse: (response) => found.push(response) }, maxCollected);
  for (const piece of pieces) reader.push(piece);
  return found;
}

/** The responses in a text that arrives in pieces of `size` bytes. */
function scan(text: string, size = Number.POSITIVE_INFINITY, maxCollected = 0, finder: FinderName = 'ResponseReader') {
  const bytes = Buffer.from(text);
  const count = Math.ceil(bytes.length / Math.min(size, bytes.length));
  const pieces = Array.from({ length: count }, (_, i) =>
    count === 1 ? bytes : bytes.subarray(i * size, (i + 1) * size),
  );
  return find(finder, pieces, maxCollected);
}

/** The responses in a text that arrives in two pieces, for each place where it can be cut. */
function scanInHalves(text: string, maxCollected = 0, finder: FinderName = 'ResponseReader'): ScannedResponse[][] {
  const bytes = Buffer.from(text);
  return Array.from(bytes, (_, cut) => find(finder, [bytes.subarray(0, cut), bytes.subarray(cut)], maxCollected));
}

const ANSWERED = { isError: false, code: undefined, isToolError: false, text: undefined };
const failed = (code: number | undefined) => ({ ...ANSWERED, isError: true, code });

type Row = [name: string, text: string, ...found: Partial<ScannedResponse>[]];

const rows: Row[] = [
  ['a result', '{"jsonrpc":"2.0","id":1,"result":{}}', { key: '1' }],
  ['a result that is not an object', '{"id":1,"result":[{"isError":true}]}', { key: '1' }],
  ['a result before its id, as SDK v1 writes it', '{"result":{"content":[]},"jsonrpc":"2.0","id":7}', { key: '7' }],
  ['white space everywhere', ' \r\n{ "id" : 1 ,\t"result" : { "isError" : true } } ', { key: '1', isToolError: true }],
  ['a tool error', '{"id":1,"result":{"content":[],"isError":true}}', { key: '1', isToolError: true }],
  ['isError: false', '{"id":1,"result":{"isError":false}}', { key: '1' }],
  ['isError as a text', '{"id":1,"result":{"isError":"true"}}', { key: '1' }],
  ['isError deeper in the result', '{"id":1,"result":{"structuredContent":{"isError":true}}}', { key: '1' }],
  ['isError outside of the result', '{"id":1,"isError":true,"result":{}}', { key: '1' }],
  [
    'isError after a nested object',
    '{"id":1,"result":{"a":{"b":[{}]},"isError":true}}',
    { key: '1', isToolError: true },
  ],
  ['an error', '{"id":1,"error":{"code":-32602,"message":"no"}}', { key: '1', ...failed(-32602) }],
  ['an error whose data has a code', '{"id":1,"error":{"code":5,"data":{"code":6}}}', { key: '1', ...failed(5) }],
  ['an error without a code', '{"id":1,"error":{"message":"no"}}', { key: '1', ...failed(undefined) }],
  ['an error with a text as its code', '{"id":1,"error":{"code":"E_NO"}}', { key: '1', ...failed(undefined) }],
  ['an error that is a text', '{"id":1,"error":"no"}', { key: '1', ...failed(undefined) }],
  [
    'an error without an id',
    '{"jsonrpc":"2.0","error":{"code":-32700},"id":null}',
    { key: undefined, ...failed(-32700) },
  ],
  ['a text as id', '{"id":"a","result":{}}', { key: '"a' }],
  ['escapes in an id', '{"id":"\\u0061\\"\\\\\\n","result":{}}', { key: '"a"\\\n' }],
  ['an id beyond ASCII', '{"id":"é漢😀","result":{}}', { key: '"é漢😀' }],
  ['a number in another form', '{"id":1.0e0,"result":{}}', { key: '1' }],
  ['a negative number', '{"id":-3,"result":{}}', { key: '-3' }],
  ['an id that is an object', '{"id":{"id":1},"result":{}}', { key: undefined }],
  ['a name with escapes', '{"\\u0069d":1,"r\\u0065sult":{"is\\u0045rror":true}}', { key: '1', isToolError: true }],
  ['a batch', '[{"id":1,"result":{}},{"id":2,"error":{"code":1}}]', { key: '1' }, { key: '2', ...failed(1) }],
  ['a batch with a notification', '[{"method":"m"},{"id":1,"result":{}}]', { key: '1' }],
  ['two texts', '{"id":1,"result":{}}\n{"id":2,"result":{}}', { key: '1' }, { key: '2' }],
  ['a byte order mark', '\ufeff{"id":1,"result":{}}', { key: '1' }],
  ['brackets and quotes in texts', '{"a":"}]\\"{[","id":1,"result":{"b":"\\\\"}}', { key: '1' }],
  ['members in texts', '{"a":"\\"id\\":2,\\"error\\":{}","id":1,"result":{"t":"isError\\":true"}}', { key: '1' }],
  [
    'a member named like another value',
    '{"a":"id","id":1,"b":"error","result":{"c":"isError","d":true}}',
    { key: '1' },
  ],
  ['long texts', `{"a":"${'x'.repeat(200)}\\"${'y'.repeat(200)}","id":1,"result":{}}`, { key: '1' }],
  ['a request of the server', '{"id":1,"method":"ping"}'],
  ['a request with a result', '{"id":1,"method":"ping","result":{}}'],
  ['a notification', '{"method":"m","params":{"id":1,"result":{}}}'],
  ['a list in a list', '[[{"id":1,"result":{}}]]'],
  ['no JSON', '<html id="1"><script>if (a) { b("result") }</script></html>'],
  ['an object that ends too early', '{"id":1,"result":{}'],
  ['brackets that were not opened', ']}]}{"id":1,"result":{}}', { key: '1' }],
];

describe.each(rows)('%s', (_name, text, ...found) => {
  const expected = found.map((response) => ({ ...ANSWERED, ...response, bytes: expect.any(Number) }));

  describe.each(['ResponseReader', 'ResponseScanner'] as const)('%s', (finder) => {
    test('reads it in one piece', () => expect(scan(text, undefined, 0, finder)).toEqual(expected));
    test('reads it byte by byte', () => expect(scan(text, 1, 0, finder)).toEqual(expected));
    test('reads it in two pieces, wherever it is cut', () => {
      for (const halves of scanInHalves(text, 0, finder)) expect(halves).toEqual(expected);
    });
  });
});

test.each([1, 2, 7, 1_000])('counts the bytes of each message, in pieces of %i', (size) => {
  const messages = ['{"id":1,"result":{"t":"é"}}', '{"id":2,"result":{}}'];
  const bytes = messages.map((message) => Buffer.byteLength(message));
  expect(scan(` [ ${messages.join(' , ')} ] `, size).map((response) => response.bytes)).toEqual(bytes);
});

test.each([1, 2, 7, 1_000])('returns the text of each message that is short enough, in pieces of %i', (size) => {
  const messages = ['{"id":1,"result":{"t":"é"}}', `{"id":2,"result":"${'x'.repeat(100)}"}`, '{"id":3,"result":0}'];
  const texts = scan(`[${messages.join()}]`, size, 40).map(({ text }) => text);
  expect(texts).toEqual([messages[0], undefined, messages[2]]);
});

test('an id or a name of more than a thousand characters counts as unknown', () => {
  const long = 'x'.repeat(2_000);
  expect(scan(`{"id":"${long}","result":{}}`)).toMatchObject([{ key: undefined }]);
  expect(scan(`{"${long}":1,"id":1,"result":{"${long}":true}}`)).toMatchObject([{ key: '1', isToolError: false }]);
});

test('what was read of a text that broke off does not change the next one', () => {
  for (const broken of ['{"id":9,"error":{"code":1', '{"id":"9', '[{"a":"\\', '{"method"', '{"id":9']) {
    const found: ScannedResponse[] = [];
    const reader = new ResponseReader({ onResponse: (response) => found.push(response) }, 0);
    reader.push(Buffer.from(broken));
    reader.reset();
    reader.push(Buffer.from('{"id":1,"result":{}}'));
    expect(found).toEqual([{ ...ANSWERED, key: '1', bytes: 20 }]);
  }
});
