import { describe, expect, test } from 'vitest';
import type { McpBackendOptions } from '../../src/index.js';
import { messagesOf } from '../support/mcp-answers.js';
import { postStateless, statelessCall, statelessRequest } from '../support/mcp-requests.js';
import { startRecordingTarget } from '../support/recording-target.js';
import { beginEvents, type Message, replyJson, serveTarget } from '../support/remote-target.js';

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

const COUNTS: readonly [count: string, prefix: string, optionsFor: (url: string) => Partial<McpBackendOptions>][] = [
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
