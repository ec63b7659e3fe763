import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { call, callText, type Headers, open, post, postStateless, statelessCall } from '../support/mcp-requests.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { type Served, serve } from '../support/stdio-bridge.js';

const { lines: log, logger } = createRecordingLogger();
let served: Served;
let session: Headers;
beforeAll(async () => {
  served = await serve({ logger, env: { STATELESS: '1' }, maxSessions: 200, maxSessionsPerUser: 200 });
});
afterAll(() => served.stop());

const WHOLE = '{"jsonrpc":"2.0","id":ID,"result":{}}';
const NOT_JSON = 'it begins like a message, but is not JSON';
const MORE_BEHIND = 'JSON followed by more text';
const NO_MESSAGE = 'JSON, but not a JSON-RPC 2.0 message';

/** Puts a short form of the line in front of each row, for the title. */
const titled = <Row extends readonly [string, ...string[]]>(rows: readonly Row[]) =>
  rows.map((row): [string, ...Row] => {
    const shown = JSON.stringify(row[0]).replaceAll('\\"', "'").replaceAll("'jsonrpc':'2.0'", '…').replace(/x+/g, 'x…');
    return [shown, ...row];
  });

/** Each line with what the log says about it. ID stands for the id of the call; characters are bytes. */
const unreadable: [string, string][] = [
  [`${WHOLE} [debug] sent`, MORE_BEHIND],
  ['{"result":{},"jsonrpc":"2.0","id":ID} [debug] sent', MORE_BEHIND],
  [`${WHOLE}{"jsonrpc":"2.0","method":"notifications/x"}`, MORE_BEHIND],
  [`${WHOLE}${WHOLE}`, MORE_BEHIND],
  [`${WHOLE},`, MORE_BEHIND],
  [`${WHOLE}\0`, MORE_BEHIND],
  [`{"jsonrpc":"2.0","id":"another","result":{}} ${WHOLE}`, MORE_BEHIND],
  ['{"jsonrpc":"2.0","id":ID,"result":{"n":NaN}}', NOT_JSON],
  ['{"jsonrpc":"2.0","id":ID,"result":{"n":-Infinity}}', NOT_JSON],
  ['{"result":{"n":NaN},"jsonrpc":"2.0","id":ID}', NOT_JSON],
  ['{"result":{"n":NaN},"id":ID,"jsonrpc":"2.0"}', NOT_JSON],
  ['{"a":NaN,"id":ID,"result":{},"jsonrpc":"2.0"}', NOT_JSON],
  ['{"jsonrpc":"2.0","id":ID,"result":{"n":01}}', NOT_JSON],
  ['{"jsonrpc":"2.0","id":ID,"result":{"n":1.}}', NOT_JSON],
  ['{"jsonrpc":"2.0","id":ID,"result":{"n":+1}}', NOT_JSON],
  ['{"jsonrpc":"2.0","id":ID,"result":{"a":[1}}}', NOT_JSON],
  ['{"jsonrpc":"2.0","id":ID,"result":{"a":[1,]}}', NOT_JSON],
  ['{"jsonrpc":"2.0","id":ID,"result":{"a":1,}}', NOT_JSON],
  ['{"jsonrpc":"2.0","id":ID,"result":{"a" 1}}', NOT_JSON],
  ['{"jsonrpc":"2.0","id":ID,"result":{a:1}}', NOT_JSON],
  ['{"jsonrpc":"2.0","id":ID,"result":{\'a\':1}}', NOT_JSON],
  ['{"jsonrpc":"2.0","id":ID,"result":{"a":True}}', NOT_JSON],
  ['{"jsonrpc":"2.0","id":ID,"result":{"a":"\t"}}', NOT_JSON],
  [`{"jsonrpc":"2.0","id":ID,"result":{"a":"${'x'.repeat(100)}\x01${'x'.repeat(100)}"}}`, NOT_JSON],
  ['{"jsonrpc":"2.0","id":ID,"result":{"a":"\\x41"}}', NOT_JSON],
  ['{"jsonrpc":"2.0","id":ID,"result":{"a":"\\u00g0"}}', NOT_JSON],
  ['{"jsonrpc":"2.0","id":ID,"result":{/* none */}}', NOT_JSON],
  ['{"jsonrpc":"2.0","id":ID,"result":{}', NOT_JSON],
  ['{"jsonrpc":"2.0","id":ID,"result":undefined}', NOT_JSON],
  ['{"jsonrpc":"2.0","id":ID,"result":{"a":"\xff"}}', 'not UTF-8'],
  [`\xef\xbb\xbf${WHOLE}`, 'it begins with a byte order mark'],
  ['{"id":ID,"result":{}}', NO_MESSAGE],
  ['{"jsonrpc":"1.0","id":ID,"result":{}}', NO_MESSAGE],
  ['{"jsonrpc":2.0,"id":ID,"result":{}}', NO_MESSAGE],
  ['{"jsonrpc":"2.0","id":ID}', NO_MESSAGE],
  ['{"jsonrpc":"2.0","id":ID,"method":"x","result":{}}', NO_MESSAGE],
];

describe('a line that is not a message, printed instead of an answer', () => {
  beforeAll(async () => {
    session = await open(served.url);
  });

  test.each(titled(unreadable))('fails its call, and the session lives on: %s', async (_title, line, kind) => {
    session = await open(served.url);
    const at = log.length;
    const response = await post(served.url, call('the call', 'print', { line: `${line}\n` }), session);
    expect([response.headers.get('content-type'), await response.json()]).toMatchObject([
      'application/json',
      { jsonrpc: '2.0', id: 'the call', error: { code: -32603, data: { reason: 'unreadable_answer' } } },
    ]);
    const length = Buffer.byteLength(line.replaceAll('ID', '"the call"'), 'latin1');
    expect(log.slice(at)).toEqual([
      expect.stringMatching(
        new RegExp(`^warn child \\d+: a line of ${length} bytes on stdout is not an MCP message: ${kind}$`),
      ),
    ]);
    expect(await callText(served.url, session, 'echo')).toBe('{}');
  });

  test('fails the call without a session as well', async () => {
    const response = await postStateless(served.url, statelessCall(7, 'print', { line: `${WHOLE} [debug] sent\n` }));
    expect(await response.json()).toMatchObject({ id: 7, error: { data: { reason: 'unreadable_answer' } } });
  });

  test('leaves other calls alone', async () => {
    const other = post(served.url, call('other', 'progress', { steps: 2, delay: 100 }), session);
    await post(served.url, call('the call', 'print', { line: `${WHOLE} [debug] sent\n` }), session);
    expect(await (await other).json()).toMatchObject({ id: 'other', result: {} });
  });
});

const noise: [string, string][] = [
  ['Listening for messages', 'not JSON'],
  [`sending ${WHOLE}`, 'not JSON'],
  ['{ debug: true }', NOT_JSON],
  ['{"jsonrpc":"2.0","id":', NOT_JSON],
  ['{"level":30,"msg":"started"}', NO_MESSAGE],
  ['{"level":30,"id":ID,"method":"GET"}', NO_MESSAGE],
  ['[1,2]', NO_MESSAGE],
  ['[{"id":ID,"level":30}]', NO_MESSAGE],
  ['[]', NO_MESSAGE],
  ['42', NO_MESSAGE],
  ['"text"', NO_MESSAGE],
  ['null', NO_MESSAGE],
  ['{', 'JSON over several lines; MCP needs one message per line'],
  ['  "jsonrpc": "2.0",', MORE_BEHIND],
  ['Content-Length: 123', 'a header of the Language Server Protocol; MCP needs one message per line'],
  ['\xff\xfe', 'not UTF-8'],
  ['\x1b[31mred\x1b[0m', 'not JSON'],
  ['   ', 'not JSON'],
];

describe('a line that is not a message and answers nothing', () => {
  test.each(titled(noise))(
    'is logged by its length and kind, and the answer after it counts: %s',
    async (_title, line, kind) => {
      session = await open(served.url);
      const at = log.length;
      expect(await callText(served.url, session, 'print', { line: `${line}\n`, answer: true })).toBe('after it');
      expect(log.slice(at)).toEqual([expect.stringContaining(`bytes on stdout is not an MCP message: ${kind}`)]);
    },
  );

  test('is logged five times at most', async () => {
    session = await open(served.url);
    const at = log.length;
    await callText(served.url, session, 'print', { line: 'secret\n'.repeat(100), answer: true });
    expect(log.slice(at)).toHaveLength(5);
    expect(log.at(-1)).toMatch(/not JSON; further lines are not logged$/);
    expect(log.join()).not.toContain('secret');
  });
});

describe('a long line that is no message', () => {
  let small: Served;
  beforeAll(async () => {
    small = await serve({ logger, env: { STATELESS: '1' }, maxMessageBytes: 10_000 });
  });
  afterAll(() => small.stop());

  const LONG = 'x'.repeat(20_000);
  const lines = [`${LONG}`, `[info] ${LONG}`, `{ debug: ${LONG} }`, `"${LONG}"`, `  ${LONG}`, `sent ${WHOLE} ${LONG}`];

  test.each(titled(lines.map((line) => [line] as const)))('fails no call: %s', async (_title, line) => {
    const ada = await open(small.url);
    const at = log.length;
    const other = post(small.url, call('other', 'progress', { steps: 2, delay: 100 }), ada);
    expect(await callText(small.url, ada, 'print', { line: `${line}\n`, answer: true })).toBe('after it');
    expect(await (await other).json()).toMatchObject({ id: 'other', result: {} });
    expect(log.slice(at)).toEqual([
      expect.stringMatching(
        /^warn child \d+: a line over maxMessageBytes on stdout is not an MCP message: it does not begin like one$/,
      ),
    ]);
  });

  test('fails no call without a session either', async () => {
    const line = `${LONG}\n`;
    const response = await postStateless(small.url, statelessCall(7, 'print', { line, answer: true }));
    expect(await response.json()).toMatchObject({ id: 7, result: { content: [{ text: 'after it' }] } });
  });

  test('does not end a session that opens', async () => {
    const env = { PRINT_AT_START: `${LONG}\n{"jsonrpc":"2.0","id":ID,"result":RESULT}\n` };
    const served = await serve({ logger, env, maxMessageBytes: 10_000 });
    const session = await open(served.url);
    expect(await callText(served.url, session, 'echo')).toBe('{}');
    await served.stop();
  });
});

const readable: [string][] = [
  [' {"jsonrpc":"2.0","id":ID,"result":{}} '],
  ['\t{ "jsonrpc" :\t"2.0" , "id":ID,\r"result":{}}\t'],
  ['{"jsonrpc":"2.0","id":ID,"result":{"a":[true,false,null,-0.5e+3,1E2,{},[],"\\u00e9\\/\\n"]}}'],
  ['{"jsonrpc":"2.0","id":ID,"error":{"code":1,"message":"\xc3\xa9"}}'],
  ['{"j\\u0073onrpc":"2\\u002e0","id":ID,"result":{"a":"\\ud800"}}'],
];

test.each(titled(readable))('a message passes as it was written: %s', async (_title, line) => {
  session = await open(served.url);
  const response = await post(served.url, call(5, 'print', { line: `${line}\n` }), session);
  const written = Buffer.from(line.replaceAll('ID', '5').replaceAll('\r', ' '), 'latin1');
  expect(Buffer.from(await response.arrayBuffer())).toEqual(written);
});
