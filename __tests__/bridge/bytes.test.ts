import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { call, callText, type Headers, open, post } from '../support/mcp-requests.js';
import { type Served, serve } from '../support/stdio-bridge.js';

let served: Served;
let session: Headers;
beforeAll(async () => {
  served = await serve();
  session = await open(served.url);
});
afterAll(() => served.stop());

describe('a message', () => {
  test('reaches the child as it came: numbers, order, unknown members, spacing', async () => {
    const body =
      '{ "unknown":[1.0, 1e2,-0], "params":{"arguments" : {"n":12345678901234567890.10,"s":"\\u0061\\/"},"name":"raw"},\n' +
      '  "method":"tools/call",\r\n\t"id" : 77 ,"jsonrpc":"2.0"}';
    const response = await post(served.url, body, session);
    const { result } = (await response.json()) as { result: { content: [{ text: string }] } };
    expect(result.content[0].text).toBe(body.replace(/[\r\n]/g, ' '));
  });

  test('reaches the client as it came', async () => {
    const response = await post(served.url, call('x', 'carriage-return'), session);
    expect(await response.text()).toBe('{"jsonrpc":"2.0", "id":"x", "result":{"content":[]}}');
  });

  test('may be cut anywhere by the pipe', async () => {
    expect(await callText(served.url, session, 'halves')).toBe('ä€😀');
  });

  test.each(['9007199254740993', '1.0', '"\\u0061"', '-0', '1e2'])(
    'with the id %s is answered with that id',
    async (id) => {
      const body = `{"jsonrpc":"2.0","id":${id},"method":"ping"}`;
      expect(await (await post(served.url, body, session)).text()).toContain(`"id":${id},`);
    },
  );
});

describe('a message that two parsers read differently', () => {
  const refused = [
    '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}',
    '{"jsonrpc":"2.0","id":1,"method":"ping","m\\u0065thod":"tools/call"}',
    '{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}',
    '{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call"}',
    '{"jsonrpc":"2.0","id":1,"METHOD":"ping"}',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","name":"crash"}}',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","Name":"crash"}}',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo"},"params":{"name":"crash"}}',
    '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{},"_meta":{"progressToken":1}}}',
    '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"progressToken":1,"progressToken":2}}}',
    '{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}',
    '\ufeff{"jsonrpc":"2.0","id":1,"method":"ping"}',
    '{"jsonrpc":"2.0","id":1,"method":"ping",}',
    '{"jsonrpc":"2.0","id":1,"method":"ping"} {}',
    "{'jsonrpc':'2.0','id':1,'method':'ping'}",
  ];
  test.each(refused)('is refused: %s', async (body) => {
    const response = await post(served.url, body, session);
    expect([response.status, ((await response.json()) as { error: object }).error]).toMatchObject([
      400,
      { code: expect.any(Number) },
    ]);
  });

  test('is refused: bytes that are not UTF-8', async () => {
    const body = Buffer.from('{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":"\xff"}}', 'latin1');
    const headers = { ...session, 'content-type': 'application/json' };
    expect((await fetch(served.url, { method: 'POST', headers, body })).status).toBe(400);
  });

  test('is passed on if only keys inside the arguments of a tool differ', async () => {
    const body =
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"name":1,"Name":2}}}';
    expect((await post(served.url, body, session)).status).toBe(200);
  });
});

describe('a batch', () => {
  const batch = [call(1, 'echo'), { jsonrpc: '2.0', method: 'notifications/x' }, call('2', 'echo')];

  test('is answered as a list where the revision has batches', async () => {
    const older = await open(served.url, {}, '2025-03-26');
    const response = await post(served.url, batch, older);
    expect(((await response.json()) as { id: unknown }[]).map(({ id }) => id)).toEqual([1, '2']);
    expect(JSON.parse(await callText(served.url, older, 'received'))).toEqual(['notifications/x']);
    const notified = await post(served.url, [batch[1]], older);
    expect(notified.status).toBe(202);
  });

  test('is answered as a stream once the child sends more than responses', async () => {
    const older = await open(served.url, {}, '2025-03-26');
    const talkative = [call(1, 'echo'), call(2, 'progress', { steps: 1 }, { progressToken: 1 })];
    const text = await (await post(served.url, talkative, older)).text();
    expect([...text.matchAll(/^data: (.+)$/gm)]).toHaveLength(3);
  });

  test('with one id twice, or an initialize, is refused whole', async () => {
    const older = await open(served.url, {}, '2025-03-26');
    expect((await post(served.url, [call(1, 'echo'), call(1, 'crash')], older)).status).toBe(400);
    expect((await post(served.url, [{ jsonrpc: '2.0', id: 0, method: 'initialize', params: {} }])).status).toBe(400);
    expect((await post(served.url, [], older)).status).toBe(400);
    expect(await callText(served.url, older, 'echo')).toBe('{}');
  });

  test.each(['2024-11-05', '2025-06-18', '2025-11-25'])('is refused in %s', async (revision) => {
    const newer = await open(served.url, {}, revision);
    const response = await post(served.url, batch, newer);
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { error: { data: { reason: 'batch_not_supported' } } },
    ]);
  });
});

describe('MCP-Protocol-Version', () => {
  test.each(['2025-06-18', '2025-11-25', '2025-03-26', '2024-11-05'])('%s is known', async (version) => {
    const headers = { ...session, 'mcp-protocol-version': version };
    expect((await post(served.url, call('v', 'echo'), headers)).status).toBe(200);
  });

  test.each(['1999-01-01', 'latest', ''])('"%s" is not', async (version) => {
    const headers = { ...session, 'mcp-protocol-version': version };
    expect((await post(served.url, call('v', 'echo'), headers)).status).toBe(400);
  });
});
