import { once } from 'node:events';
import { request } from 'node:http';
import { describe, expect, test } from 'vitest';
import { call, callText, initialize, open, post } from '../support/mcp-requests.js';
import { memoryInUse } from '../support/memory-in-use.js';
import { SCRIPTED, serve } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

const lines: string[] = [];
const note = (line: string): void => void lines.push(line);
const logger = { debug: note, info: note, warn: note, error: note };

describe('a child that misbehaves', () => {
  test('may print lines that are not messages; the rest arrives', async () => {
    const { url, stop } = await serve();
    const session = await open(url);
    expect(await callText(url, session, 'noise')).toBe('after the noise');
    await stop();
  });

  test('may flood stderr; the log stays readable', async () => {
    lines.length = 0;
    const { url, stop } = await serve({ logger });
    const session = await open(url);
    expect(await callText(url, session, 'stderr', { lines: 20_000 })).toBe('done');
    await until(() => lines.length >= 100);
    expect(await callText(url, session, 'echo', { text: 'a body' })).toBe('{"text":"a body"}');
    await stop();
    expect(lines.length).toBeLessThan(500);
    expect(lines.some((line) => /^child \d+: line 0 +\\u001b\[31mred\\u001b\[0m$/.test(line))).toBe(true);
    // Bodies and control characters have no place in a log.
    expect(lines.join('')).not.toMatch(/\p{Cc}|a body/u);
  });

  test('may exit after its answer, which arrives; then the session is gone', async () => {
    const { url, stop } = await serve();
    const session = await open(url);
    expect(await callText(url, session, 'answer-and-exit')).toBe('last words');
    await until(async () => (await post(url, call(1, 'echo'), session)).status === 404);
    await stop();
  });

  test('may exit in the middle of its answer, which fails', async () => {
    const { url, stop } = await serve();
    const response = await post(url, call(1, 'answer-half-and-exit'), await open(url));
    expect(await response.json()).toMatchObject({ id: 1, error: { data: { reason: 'child_exited' } } });
    await stop();
  });

  test('may close its output and live on: the call fails, and the child is stopped', async () => {
    const { url, backend, stop } = await serve();
    const session = await open(url);
    const response = await post(url, call(1, 'mute'), session);
    expect(await response.json()).toMatchObject({ id: 1, error: { data: { reason: 'child_exited' } } });
    expect((await post(url, call(2, 'echo'), session)).status).toBe(404);
    await until(() => backend.stats().children === 0);
    await stop();
  });

  test('may exit before it answers at all', async () => {
    const { url, backend, stop } = await serve({ args: ['-e', 'process.exit(1)'] });
    const response = await post(url, initialize());
    expect([response.status, await response.json()]).toMatchObject([
      502,
      { error: { data: { reason: 'child_exited' } } },
    ]);
    expect(backend.stats().sessions).toBe(0);
    await stop();
  });
});

describe('a child is started', () => {
  test('without a shell, and with little of our environment', async () => {
    process.env.OUR_SECRET = 'hidden';
    process.env.OUR_SETTING = 'shown';
    const env = { VALUE: 'a=b\nc "d" $(e)', EMPTY: '' };
    const args = [SCRIPTED, '$(touch /tmp/never)', '; exit 1', '*', '"', ''];
    const { url, stop } = await serve({ args, env, inheritEnv: ['OUR_SETTING'] });
    const session = await open(url);
    const seen = JSON.parse(await callText(url, session, 'env'));
    expect(seen).toMatchObject({ ...env, OUR_SETTING: 'shown', PATH: process.env.PATH });
    expect(seen).not.toHaveProperty('OUR_SECRET');
    expect(JSON.parse(await callText(url, session, 'argv'))).toEqual(args.slice(1));
    await stop();
    const open1 = await serve({ inheritEnv: true });
    expect(JSON.parse(await callText(open1.url, await open(open1.url), 'env'))).toHaveProperty('OUR_SECRET');
    await open1.stop();
  });

  test('ahead, as many as warmChildren says', async () => {
    const { url, backend, stop } = await serve({ warmChildren: 2 });
    expect(backend.stats()).toMatchObject({ sessions: 0, children: 2 });
    const session = await open(url);
    await until(() => backend.stats().children === 3);
    expect(Number(await callText(url, session, 'pid'))).toBeGreaterThan(0);
    await stop();
    expect(backend.stats().children).toBe(0);
  });
});

describe('back-pressure', () => {
  test.each([
    [4_000, 16_384],
    [40_000, 100],
  ])(
    'a client that is slow to read %i messages of %i bytes slows its child and does not fill the heap',
    async (count, bytes) => {
      const before = await memoryInUse();
      const { url, stop } = await serve();
      const warned: Error[] = [];
      const onWarning = (warning: Error): void => void warned.push(warning);
      process.on('warning', onWarning);
      const session = await open(url);
      const body = JSON.stringify(call(1, 'flood', { count, bytes }, { progressToken: 1 }));
      const req = request(url, { method: 'POST', headers: { ...session, 'content-type': 'application/json' } });
      req.end(body);
      const [res] = await once(req, 'response');
      // The child sends up to 64 MB. No more may have left it than fits into the network and the pipes.
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect((await memoryInUse()) - before).toBeLessThan(10_000_000);
      let events = 0;
      res.on('data', (chunk: Buffer) => {
        for (let at = chunk.indexOf('\n\n'); at >= 0; at = chunk.indexOf('\n\n', at + 1)) events++;
      });
      await once(res, 'end');
      expect(events).toBeGreaterThanOrEqual(count);
      expect(warned).toEqual([]);
      process.off('warning', onWarning);
      await stop();
    },
  );

  test('a child that does not read slows its clients', async () => {
    const { url, stop } = await serve();
    const session = await open(url);
    let done = 0;
    const napping = callText(url, session, 'nap', { ms: 700 });
    const text = 'x'.repeat(1_000_000);
    const notifications = Array.from({ length: 16 }, async () => {
      const response = await post(url, { jsonrpc: '2.0', method: 'notifications/x', params: { text } }, session);
      done++;
      return response.status;
    });
    await napping;
    expect(done).toBeLessThan(16);
    expect(new Set(await Promise.all(notifications))).toEqual(new Set([202]));
    await stop();
  });
});
