import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { post, statelessCall, statelessHeaders, statelessRequest } from '../support/mcp-requests.js';
import { type Served, serve } from '../support/stdio-bridge.js';

let served: Served;
beforeAll(async () => {
  served = await serve({ env: { STATELESS: '1' } });
});
afterAll(() => served.stop());

describe('the checks of 2026-07-28', () => {
  const good = statelessCall(5, 'echo');
  const { _meta: meta } = good.params;
  const without = (key: string) => {
    const rest: Record<string, unknown> = { ...(meta as object) };
    delete rest[`io.modelcontextprotocol/${key}`];
    return { ...good, params: { ...good.params, _meta: rest } };
  };
  const version = (value: string) => statelessCall(5, 'echo', {}, { 'io.modelcontextprotocol/protocolVersion': value });
  const umlaut = statelessCall(5, 'echö');
  const base64 = (text: string) => `=?base64?${Buffer.from(text).toString('base64')}?=`;

  const unpadded = '=?base64?ZGVsZXRlX2ZpbGU?=';
  const task = (method: string) => statelessRequest(5, method, { taskId: 't-1' });
  const subscribing = statelessRequest(5, 'resources/subscribe', { uri: 'file:///a' });
  const nameless = statelessRequest(5, 'tools/call', { name: ['echo'] });
  const listed = statelessRequest(5, 'server/discover', {}, { 'io.modelcontextprotocol/clientCapabilities': [] });

  const cases: [string, object, Record<string, string | undefined>, number, number | undefined][] = [
    ['everything right', good, {}, 200, undefined],
    ['a name in Base64', good, { 'mcp-name': base64('echo') }, 200, undefined],
    ['another name in Base64', umlaut, { 'mcp-name': base64('echo') }, 400, -32020],
    ['another name', good, { 'mcp-name': 'pid' }, 400, -32020],
    ['a name in Base64 without padding', statelessCall(5, 'delete_file'), { 'mcp-name': unpadded }, 400, -32020],
    ['the name of a call that has none', statelessRequest(5, 'tools/call'), { 'mcp-name': 'echo' }, 400, -32020],
    ['the name of a call that names a list', nameless, { 'mcp-name': 'echo' }, 400, -32020],
    ...['tasks/get', 'tasks/update', 'tasks/cancel', 'tasks/result'].flatMap((method): typeof cases => [
      [`${method}, with its task`, task(method), {}, 404, -32601],
      [`${method}, with its task in Base64`, task(method), { 'mcp-name': base64('t-1') }, 404, -32601],
      [`${method}, with another task`, task(method), { 'mcp-name': 't-2' }, 400, -32020],
    ]),
    ['tasks/get, with no task in the header', task('tasks/get'), { 'mcp-name': undefined }, 400, -32020],
    ['tasks/result, which is of older revisions', task('tasks/result'), { 'mcp-name': undefined }, 404, -32601],
    ['another resource to subscribe to', subscribing, { 'mcp-name': 'file:///b' }, 400, -32020],
    ['a resource to subscribe to', subscribing, { 'mcp-name': undefined }, 404, -32601],
    ['no name', good, { 'mcp-name': undefined }, 400, -32020],
    ['another method', good, { 'mcp-method': 'tools/list' }, 400, -32020],
    ['a method in capitals', good, { 'mcp-method': 'Tools/Call' }, 400, -32020],
    ['no method', good, { 'mcp-method': undefined }, 400, -32020],
    ['no version in the header', good, { 'mcp-protocol-version': undefined }, 400, -32020],
    ['an older version in the header', good, { 'mcp-protocol-version': '2025-11-25' }, 400, -32020],
    ['no version in the body', without('protocolVersion'), {}, 400, -32602],
    ['no capabilities in the body', without('clientCapabilities'), {}, 400, -32602],
    ['capabilities that are a list', listed, {}, 400, -32602],
    [
      'a version that the server does not speak',
      version('2099-01-01'),
      { 'mcp-protocol-version': '2099-01-01' },
      400,
      -32022,
    ],
    ['an unknown method', statelessRequest(5, 'unknown/method'), {}, 404, -32601],
  ];
  test.each(cases)('%s', async (_name, message, change, status, code) => {
    const headers: Record<string, string> = { ...statelessHeaders(message as typeof good) };
    for (const [key, value] of Object.entries(change)) {
      if (value === undefined) delete headers[key];
      else headers[key] = value;
    }
    const response = await post(served.url, message, headers);
    const body = (await response.json()) as { id: unknown; error?: { code: number } };
    expect([response.status, body.error?.code, body.id]).toEqual([status, code, 5]);
  });

  test('names the revisions that the server speaks', async () => {
    const response = await post(served.url, version('2099-01-01'), {
      ...statelessHeaders(good),
      'mcp-protocol-version': '2099-01-01',
    });
    expect(await response.json()).toMatchObject({
      error: { data: { supported: ['2026-07-28'], requested: '2099-01-01' } },
    });
  });

  test('refuses batches, GET and DELETE', async () => {
    expect((await post(served.url, [good], statelessHeaders(good))).status).toBe(400);
    for (const method of ['GET', 'DELETE']) {
      const response = await fetch(served.url, { method, headers: { 'mcp-protocol-version': '2026-07-28' } });
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
    }
  });

  test('refuses a notification whose headers say something else', async () => {
    const call = { ...statelessRequest(1, 'tools/call', { name: 'echo' }), id: undefined };
    for (const header of [{ 'mcp-method': 'ping' }, { 'mcp-name': 'pid' }]) {
      const response = await post(served.url, call, { 'mcp-protocol-version': '2026-07-28', ...header });
      expect([response.status, await response.json()]).toMatchObject([400, { error: { code: -32020 } }]);
    }
  });

  test('accepts notifications, and ignores one that cancels a request by its id', async () => {
    const notification = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } };
    const response = await post(served.url, notification, { 'mcp-protocol-version': '2026-07-28' });
    expect(response.status).toBe(202);
  });
});
