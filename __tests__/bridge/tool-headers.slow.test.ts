import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { postStateless, statelessCall } from '../support/mcp-requests.js';
import { ADA } from '../support/recorded-calls.js';
import { startRecordingTarget } from '../support/recording-target.js';
import { replyJson, serveTarget } from '../support/remote-target.js';

test('a server that fails to list its tools is asked for them less and less often', async () => {
  const target = await startRecordingTarget(({ body }, res) => {
    const { id, method } = JSON.parse(body);
    if (method === 'tools/list') res.writeHead(503).end();
    else replyJson(res, id, method === 'server/discover' ? { supportedVersions: ['2026-07-28'] } : { content: [] });
  });
  const { url } = await serveTarget(target.url);
  const listsAfter = async (ms: number) => {
    await delay(ms);
    expect(await (await postStateless(url, statelessCall(1, 'x'), ADA)).text()).toContain('"result"');
    return target.arrived.filter(({ headers }) => headers['mcp-method'] === 'tools/list').length;
  };
  expect(await listsAfter(0)).toBe(1);
  expect(await listsAfter(550)).toBe(2);
  expect(await listsAfter(550)).toBe(2);
  expect(await listsAfter(550)).toBe(3);
});
