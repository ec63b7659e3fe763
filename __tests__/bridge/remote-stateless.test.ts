import { describe, expect, test } from 'vitest';
import type { McpBackendOptions } from '../../src/index.js';
import { messagesOf } from '../support/mcp-answers.js';
import { open, post, postStateless, statelessCall, statelessRequest } from '../support/mcp-requests.js';
import { startRecordingTarget } from '../support/recording-target.js';
import { beginEvents, type Message, replyJson, serveTarget, startSessionTarget } from '../support/remote-target.js';
import { until } from '../support/until.js';

const ADA = { authorization: 'Bearer ada' };
const DISCOVERED = { resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities: { tools: {} } };

/** A remote server of 2026-07-28 whose streams have event ids and end without an answer. It also serves GET, for older revisions. */
const startBreakingTarget = () =>
  startRecordingTarget(({ method: verb, body }, res) => {
    if (verb === 'GET') return void beginEvents(res, ': waits\n\n');
    const { id, method } = JSON.parse(body) as Message;
    if (method === 'server/discover') replyJson(res, id, DISCOVERED);
    else if (method === 'tools/list') replyJson(res, id, { resultType: 'complete', tools: [] });
    else setTimeout(() => res.destroy(), 20) && beginEvents(res, 'id: seven\nretry: 1\ndata:\n\n');
  });

type OptionsFor = (url: string) => Partial<McpBackendOptions>;
const COUNTS: readonly [count: string, prefix: string, optionsFor: OptionsFor][] = [
  ['one target', '', () => ({})],
  ['two targets', 'one_', (url) => ({ targets: { one: { url }, two: { url } } })],
];

describe.each(COUNTS)('a stream of 2026-07-28 with event ids that breaks off, %s', (_count, prefix, optionsFor) => {
  test.each([
    ['a call', statelessCall('mine', `${prefix}x`)],
    ['a subscription', statelessRequest('mine', 'subscriptions/listen', { notifications: { toolsListChanged: true } })],
  ])('fails its request and is not resumed: %s', async (_what, request) => {
    const target = await startBreakingTarget();
    const { url, lines } = await serveTarget(target.url, {}, optionsFor(target.url));
    const messages = await messagesOf(await postStateless(url, request, ADA));
    expect(messages.at(-1)).toMatchObject({ id: 'mine', error: { data: { reason: 'target_broke_off' } } });
    expect(target.arrived.filter(({ method }) => method === 'GET')).toEqual([]);
    expect(lines.join('\n')).toContain('(target_broke_off)');
  });
});

describe.each(COUNTS)('a notification of 2026-07-28, %s', (_count, _prefix, optionsFor) => {
  const VERSION_META = { _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } };
  test.each([
    ['its header', {}],
    ['its header and _meta', VERSION_META],
  ])('reaches a remote server with its revision and method, as in %s', async (_where, params) => {
    const target = await startBreakingTarget();
    const { url } = await serveTarget(target.url, {}, optionsFor(target.url));
    await postStateless(url, statelessRequest(1, 'tools/list'), ADA);
    const notification = { jsonrpc: '2.0', method: 'notifications/x', params };
    expect((await post(url, notification, { ...ADA, 'mcp-protocol-version': '2026-07-28' })).status).toBe(202);
    const arrived = () => target.arrived.find(({ body }) => body.includes('notifications/x'));
    await until(() => arrived() !== undefined);
    expect(arrived()?.headers).toMatchObject({
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'notifications/x',
    });
  });
});

test('a notification of a session reaches a remote server with the revision of the session', async () => {
  const target = await startSessionTarget(({ id }, res) => replyJson(res, id, {}));
  const { url } = await serveTarget(target.url);
  const session = await open(url, ADA, '2025-06-18');
  await post(url, { jsonrpc: '2.0', method: 'notifications/x' }, { ...session, 'mcp-protocol-version': '2025-11-25' });
  const arrived = () => target.arrived.find(({ body }) => body.includes('notifications/x'));
  await until(() => arrived() !== undefined);
  expect(arrived()?.headers['mcp-protocol-version']).toBe('2025-06-18');
  expect(arrived()?.headers['mcp-method']).toBeUndefined();
});
