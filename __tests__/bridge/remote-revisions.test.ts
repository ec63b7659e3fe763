import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import type { McpBackendOptions } from '../../src/index.js';
import { reasonOf } from '../support/mcp-answers.js';
import { postStateless, statelessCall, statelessRequest } from '../support/mcp-requests.js';
import { startRecordingTarget } from '../support/recording-target.js';
import { beginEvents, replyJson, serveTarget } from '../support/remote-target.js';
import { until } from '../support/until.js';

const ADA = { authorization: 'Bearer ada' };
const BOB = { authorization: 'Bearer bob' };
const REGION = { type: 'string', 'x-mcp-header': 'Region' };
const TOOLS = [{ name: 'mirrored', inputSchema: { type: 'object', properties: { region: REGION } } }];
const LIMITED = '{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"Too many requests"}}';
const UNKNOWN = '{"jsonrpc":"2.0","id":"server-error","error":{"code":-32600,"message":"Missing session ID"}}';

const replyError = (res: ServerResponse, status: number, body: string) =>
  void res.writeHead(status, { 'content-type': 'application/json' }).end(body);

type Fault = (res: ServerResponse) => void;

/** A remote server of 2026-07-28 whose first answer to a request of this method is `fault`. */
async function startFaultyTarget(method: string, fault: Fault): Promise<string> {
  let isFirst = true;
  const { url } = await startRecordingTarget(({ body }, res) => {
    const { id, method: asked } = body === '' ? { id: undefined, method: '' } : JSON.parse(body);
    const fails = isFirst && asked === method;
    isFirst &&= !fails;
    if (fails) fault(res);
    else if (asked === 'server/discover')
      replyJson(res, id, { resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities: { tools: {} } });
    else if (asked === 'tools/list') replyJson(res, id, { resultType: 'complete', tools: TOOLS });
    else if (id !== undefined) replyJson(res, id, { content: [] });
    else res.writeHead(405).end();
  });
  return url;
}

const TARGETS: readonly [string, (url: string) => Promise<Partial<McpBackendOptions>>][] = [
  ['one target', async () => ({})],
  [
    'one of two targets',
    async (url) => ({ targets: { one: { url }, two: { url: await startFaultyTarget('none', () => undefined) } } }),
  ],
];

describe.each(TARGETS)('%s, asked for its revisions for the first time,', (_count, optionsFor) => {
  const FAILURES: readonly [how: string, fault: Fault, reason: string][] = [
    ['answers 429', (res) => res.writeHead(429).end('slow down'), 'target_failed'],
    ['answers 429 with an error of JSON-RPC', (res) => replyError(res, 429, LIMITED), 'target_failed'],
    ['answers 503', (res) => res.writeHead(503).end(), 'target_failed'],
    [
      'breaks off its event stream',
      (res) => beginEvents(res, ': x\n\n') && setTimeout(() => res.destroy(), 20),
      'target_broke_off',
    ],
  ];
  test.each(FAILURES)('%s: this request fails, and the next one is served', async (_how, fault, reason) => {
    const target = await startFaultyTarget('server/discover', fault);
    const { url } = await serveTarget(target, {}, await optionsFor(target));
    const failed = await postStateless(url, statelessRequest(1, 'tools/list'), ADA);
    expect([failed.status, await reasonOf(failed)]).toEqual([502, reason]);
    expect((await postStateless(url, statelessRequest(2, 'tools/list'), BOB)).status).toBe(200);
  });

  const OLDER: readonly [how: string, fault: Fault][] = [
    ['400 with text', (res) => res.writeHead(400).end('no session')],
    ['400 with an error that names no request', (res) => replyError(res, 400, UNKNOWN)],
    ['400 with an error', (res) => replyError(res, 400, UNKNOWN.replace('"server-error"', 'null'))],
    ['202', (res) => res.writeHead(202).end()],
  ];
  test.each(OLDER)('answers %s: it counts as one of older revisions', async (_how, fault) => {
    const target = await startFaultyTarget('server/discover', fault);
    const { url } = await serveTarget(target, {}, await optionsFor(target));
    for (const id of [1, 2]) {
      const response = await postStateless(url, statelessRequest(id, 'tools/list'), ADA);
      expect([response.status, await reasonOf(response)]).toEqual([400, 'legacy_server']);
    }
  });
});

test('parameters in headers are compared soon after the server failed to list its tools', async () => {
  const target = await startFaultyTarget('tools/list', (res) => res.writeHead(429).end());
  const { url } = await serveTarget(target);
  const statusOf = async () => {
    const message = statelessCall(1, 'mirrored', { region: 'eu' });
    return (await postStateless(url, message, { ...ADA, 'mcp-param-region': 'us' })).status;
  };
  expect(await statusOf()).toBe(200);
  await until(async () => (await statusOf()) === 400);
});
