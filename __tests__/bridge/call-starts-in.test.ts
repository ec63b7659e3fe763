import { describe, expect, test } from 'vitest';
import { callStartsIn } from '../../src/bridge/http/call-starts-in.js';

/** The starts without the arguments, which only the whole parser returns. */
function startsOf(text: string, needsArguments: boolean) {
  return callStartsIn(Buffer.from(text), needsArguments).map(({ params, ...start }) => ({
    ...start,
    meta: params._meta,
    version: params.protocolVersion,
  }));
}

const LONG = 'x'.repeat(300);

describe.each([
  '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"a":[1,{"b":"}"}]}}}',
  '{"method":"tools/call","params":{"name":"echo","arguments":{}},"jsonrpc":"2.0","id":0}',
  '{"id":"a\\u0062","method":"tools\\/call","params":{"name":"\\u0065cho é 😀"}}',
  '{"id":1.0e1,"method":"prompts/get","params":{"name":"p","uri":"u"}}',
  '{"id":-1,"method":"resources/read","params":{"name":"p","uri":"file:///a"}}',
  '{"id":1,"method":"tasks/get","params":{"taskId":"t"}}',
  '{"id":1,"method":"tools/list"}',
  '{"id":1,"method":"tools/list","params":null}',
  '{"id":1,"method":"tools/call","params":["name","echo"]}',
  '{"id":1,"method":"tools/call","params":{"name":7}}',
  '{"id":1,"method":"constructor","params":{"name":"a"}}',
  '{"id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{}}}',
  '{"id":1,"method":"ping","params":{"_meta":{"traceparent":"00-1","a":[{}]}}}',
  '{"id":1,"method":"ping","params":{"_meta":7,"protocolVersion":[2]}}',
  '{"id":1,"method":"ping","params":{"_meta":{"traceparent":"00-1","p":NaN}}}',
  '{"id":1,"id":2,"method":"ping"}',
  '{"id":1,"method":"ping","m\\u0065thod":"tools/list"}',
  '{"id":1,"method":"tools/call","params":{"name":"a","name":"b"}}',
  '{"id":null,"method":"ping"}',
  '{"id":{},"method":"ping"}',
  '{"method":"notifications/cancelled"}',
  '{"id":1,"method":7}',
  '{"id":1,"result":{}}',
  '{"id":1,"method":"tools/call","params":{"name":"echo","arguments":{"a":NaN,"b":-Infinity}}}',
  `{"id":1,"method":"tools/call","params":{"name":"echo","arguments":{"a":"${LONG}\\"${LONG}\\\\","b":"${LONG}"}}}`,
  '[{"id":1,"method":"ping"},{"id":2,"method":"tools/call","params":{"name":"echo"}}]',
  ' {"id":1,"method":"ping"}\r\n',
  '\ufeff{"id":1,"method":"ping"}',
  '{"id":1,"method":"ping"} {}',
  'no JSON',
  '',
])('the calls in %s', (text) => {
  test('are the same, whether the arguments are needed or not', () => {
    expect(startsOf(text, false)).toEqual(startsOf(text, true));
  });

  test('are those of a parser', () => {
    const parsed = [lenient(text)].flat();
    const calls = parsed.filter((each) => typeof each?.method === 'string' && /string|number/.test(typeof each.id));
    expect(startsOf(text, false).map(({ method }) => method)).toEqual(calls.map(({ method }) => method));
  });
});

function lenient(text: string) {
  try {
    return JSON.parse(text.replace('\ufeff', '').replaceAll(/NaN|-Infinity/g, 'null'));
  } catch {
    return [];
  }
}

test('arguments are returned only if they are needed', () => {
  const body = Buffer.from('{"id":1,"method":"tools/call","params":{"name":"echo","arguments":{"key":"secret"}}}');
  expect(callStartsIn(body, false)).toMatchObject([{ name: 'echo', params: {} }]);
  expect(callStartsIn(body, true)).toMatchObject([{ name: 'echo', params: { arguments: { key: 'secret' } } }]);
  expect(JSON.stringify(callStartsIn(body, false))).not.toContain('secret');
});
