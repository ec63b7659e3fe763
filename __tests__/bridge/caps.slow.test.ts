import { describe, expect, test } from 'vitest';
import { call, callText, type Headers, initialize, listen, open, post } from '../support/mcp-requests.js';
import { serve } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

const ADA = { authorization: 'Bearer ada' };
const BOB = { authorization: 'Bearer bob' };

describe('limits', () => {
  test('hold in a flood', async () => {
    const { url, backend, stop } = await serve({ maxSessions: 5, env: { MUTE_AT_START: '1' } });
    const statuses: number[] = [];
    const flood = Array.from({ length: 40 }, async () => statuses.push((await post(url, initialize())).status));
    await until(() => statuses.length === 35);
    expect(new Set(statuses)).toEqual(new Set([503]));
    expect(backend.stats()).toMatchObject({ sessions: 5, children: 5 });
    await stop();
    await Promise.allSettled(flood);
  });

  test('hold in a flood of clients that leave at once', async () => {
    const { url, backend, stop } = await serve({ maxSessions: 5 });
    const answers = await Promise.all(Array.from({ length: 40 }, () => post(url, initialize())));
    for (const { status } of answers) expect([200, 503]).toContain(status);
    expect(backend.stats().sessions).toBe(5);
    expect(backend.stats().children).toBeLessThanOrEqual(10);
    await stop();
  });

  test('are answered 503 and 429 with the name of the option, and Retry-After where it is known', async () => {
    const { url, stop } = await serve({ maxSessions: 3, maxSessionsPerUser: 2, maxPendingRequests: 1 });
    const refused = async (response: Response): Promise<unknown[]> => {
      const { error } = (await response.json()) as { error: { message: string } };
      return [response.status, Number(response.headers.get('retry-after')) > 0, /\((\w+)\)/.exec(error.message)?.[1]];
    };
    const openWithStream = async (headers: Headers): Promise<Headers> => {
      const session = await open(url, headers);
      await listen(url, session);
      return session;
    };
    const ada = await openWithStream(ADA);
    await openWithStream(ADA);
    expect(await refused(await post(url, initialize(), ADA))).toEqual([429, false, 'maxSessionsPerUser']);
    const elsewhere = { authorization: 'Bearer ada@another' };
    expect(await refused(await post(url, initialize(), elsewhere))).toEqual([429, false, 'maxSessionsPerUser']);
    await openWithStream(BOB);
    expect(await refused(await post(url, initialize()))).toEqual([503, false, 'maxSessions']);
    const hanging = post(url, call(1, 'hang'), ada);
    await until(async () => (await post(url, call(2, 'pid'), ada)).status === 429);
    expect(await refused(await post(url, call(2, 'pid'), ada))).toEqual([429, true, 'maxPendingRequests']);
    await fetch(url, { method: 'DELETE', headers: ada });
    expect(await (await hanging).json()).toMatchObject({ id: 1, error: { data: { reason: 'session_ended' } } });
    await open(url, ADA);
    await stop();
  });
});

describe.concurrent('the idle time', () => {
  test('does not run while a client waits for a call', async () => {
    const { url, backend, stop } = await serve({ idleTimeoutSeconds: 2 });
    const session = await open(url);
    const slow = await post(url, call(1, 'progress', { steps: 1, delay: 4_000 }), session);
    expect(await slow.json()).toMatchObject({ id: 1, result: {} });
    await until(() => backend.stats().sessions === 0);
    await stop();
  });

  test('runs although the child keeps sending messages', async () => {
    const { url, backend, stop } = await serve({ idleTimeoutSeconds: 2 });
    await callText(url, await open(url), 'chatter');
    await until(() => backend.stats().sessions === 0);
    await stop();
  });

  test('runs for a client that listened and vanished, not for one that still listens', async () => {
    const { url, backend, stop } = await serve({ idleTimeoutSeconds: 5 });
    const vanish = new AbortController();
    const [gone, here] = await Promise.all([open(url), open(url)]);
    const listen = (session: Headers, signal?: AbortSignal): Promise<Response> =>
      fetch(url, { headers: { ...session, accept: 'text/event-stream' }, ...(signal && { signal }) });
    await listen(gone, vanish.signal);
    const stream = await listen(here);
    vanish.abort();
    await until(() => backend.stats().sessions === 1);
    expect((await post(url, call(1, 'echo'), gone)).status).toBe(404);
    expect(await callText(url, here, 'echo')).toBe('{}');
    await stream.body?.cancel();
    await stop();
  });
});
