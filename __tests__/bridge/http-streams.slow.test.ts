import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { request } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { serveRemote } from '../support/http-backend.js';
import { eventsOf, nextMessage, reasonOf } from '../support/mcp-answers.js';
import { call, initialize, JSON_HEADERS, open, post } from '../support/mcp-requests.js';
import { type RecordingTarget, startRecordingTarget, startTarget } from '../support/recording-target.js';
import { until } from '../support/until.js';

/** Resolves to the number of open connections to the target. */
function connectionsOf({ server }: RecordingTarget): Promise<number> {
  return new Promise((resolve) => void server.getConnections((_error, count) => resolve(count)));
}

/** The longest time until the end: the backend looks once a second, and a busy machine may be late. */
const PROMPTLY_MS = 10_000;

describe('who hangs up', () => {
  test.each(['before it answers', 'within a stream', 'within an upload'])(
    'the client, %s: so does the request',
    async (when) => {
      let isClosed = false;
      let hasArrived = false;
      const target = await startTarget((req, res) => {
        hasArrived = true;
        req.resume();
        if (when === 'within a stream') res.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
        req.socket.on('close', () => {
          isClosed = true;
        });
      });
      const remote = await serveRemote(target.url);
      const length = when === 'within an upload' ? { 'content-length': '200000' } : {};
      const req = request(remote.url, {
        method: 'POST',
        headers: { ...JSON_HEADERS, ...remote.bearer('ada'), ...length },
      });
      req.on('error', () => undefined);
      if (when === 'within an upload') req.write(Buffer.alloc(100_000));
      else req.end('{}');
      await until(() => hasArrived);
      expect(isClosed).toBe(false);
      req.destroy();
      await until(() => isClosed);
      await until(() => remote.backend.stats().pending + remote.backend.stats().streams === 0);
      expect(remote.lines.filter((line) => line.includes('mcpHttpBackend'))).toEqual([]);
    },
  );
});

describe('what a token was good for ends with it', () => {
  /** The ways in which Ada's token becomes invalid. */
  const ENDS = {
    'it is revoked': (remote: Awaited<ReturnType<typeof serveRemote>>) =>
      remote.auth.revoke(({ payload }) => payload.sub === 'ada'),
    'its key is withdrawn': (remote: Awaited<ReturnType<typeof serveRemote>>) => remote.issuer.rotateKeys(),
    'it expires': () => {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_000 });
      onTestFinished(() => void vi.useRealTimers());
    },
  };

  test.each(Object.entries(ENDS))('a stream ends promptly when %s', async (_name, end) => {
    const target = await startRecordingTarget();
    const remote = await serveRemote(target.url);
    const ada = await open(remote.url, remote.bearer('ada'));
    const events = eventsOf(await fetch(remote.url, { headers: ada }));
    await nextMessage(events);
    end(remote);
    const since = performance.now();
    expect((await events.next()).done).toBe(true);
    expect(performance.now() - since).toBeLessThan(PROMPTLY_MS);
    await until(async () => (await connectionsOf(target)) === 0);
  });

  test.each(['application/json', 'text/event-stream, text/plain'])(
    'an endless answer ends with its token, and visibly not as a whole one: %s',
    async (type) => {
      const target = await startTarget((req, res) => {
        req.resume();
        res.writeHead(200, { 'content-type': type }).write(' ');
      });
      const remote = await serveRemote(target.url);
      const response = await post(remote.url, call(1, 'x'), remote.bearer('ada'));
      ENDS['it expires']();
      const since = performance.now();
      await expect(response.text()).rejects.toThrow('terminated');
      expect(performance.now() - since).toBeLessThan(PROMPTLY_MS);
      await until(async () => (await connectionsOf(target)) === 0);
    },
  );

  test.each(Object.entries(ENDS).slice(0, 2))(
    'a request that waits for its answer is refused when %s',
    async (_name, end) => {
      let hasArrived = false;
      const target = await startTarget((req) => {
        hasArrived = true;
        req.resume();
      });
      const remote = await serveRemote(target.url);
      const answer = post(remote.url, call(1, 'x'), remote.bearer('ada'));
      await until(() => hasArrived);
      end(remote);
      const since = performance.now();
      const response = await answer;
      expect(performance.now() - since).toBeLessThan(PROMPTLY_MS);
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toContain('invalid_token');
    },
  );

  test('a stream that the target has not begun ends when it expires', async () => {
    let hasArrived = false;
    const target = await startTarget((req) => {
      hasArrived = true;
      req.resume();
    });
    const remote = await serveRemote(target.url);
    const answer = fetch(remote.url, { headers: { accept: 'text/event-stream', ...remote.bearer('ada') } });
    await until(() => hasArrived);
    ENDS['it expires']();
    const since = performance.now();
    const response = await answer;
    expect(performance.now() - since).toBeLessThan(PROMPTLY_MS);
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([
      401,
      expect.stringContaining('invalid_token'),
    ]);
    await until(async () => (await connectionsOf(target)) === 0);
  });

  test('others go on', async () => {
    const target = await startRecordingTarget();
    const remote = await serveRemote(target.url);
    const bob = await open(remote.url, remote.bearer('bob'));
    const stream = await fetch(remote.url, { headers: bob });
    ENDS['it is revoked'](remote);
    await wait(2_000);
    expect(remote.backend.stats().streams).toBe(1);
    await stream.body?.cancel();
  });
});

describe('timeouts', () => {
  test('an answer that does not begin within responseTimeoutSeconds: 504', async () => {
    const target = await startTarget((req) => void req.resume());
    const remote = await serveRemote(target.url, { responseTimeoutSeconds: 1 });
    const response = await post(remote.url, initialize(), remote.bearer('ada'));
    expect(response.status).toBe(504);
    expect(await reasonOf(response)).toBe('target_timed_out');
  });

  test('a stream may be quiet for longer', async () => {
    const target = await startTarget((req, res) => {
      req.resume();
      res.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      setTimeout(() => res.end('data: {"late":true}\n\n'), 6_000);
    });
    const remote = await serveRemote(target.url, { responseTimeoutSeconds: 3 });
    expect(await (await post(remote.url, call(1, 'x'), remote.bearer('ada'))).text()).toContain('late');
  });

  test('a server that accepts, and does not say TLS, is not there', async () => {
    const server = createTcpServer((socket) => void socket.resume());
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    const remote = await serveRemote(`https://127.0.0.1:${port}`, { connectTimeoutSeconds: 1 });
    const response = await post(remote.url, initialize(), remote.bearer('ada'));
    expect([response.status, await reasonOf(response)]).toEqual([502, 'target_unreachable']);
  });

  test('a session that is idle is forgotten, and ended at the target', async () => {
    const target = await startRecordingTarget();
    const remote = await serveRemote(target.url, { idleTimeoutSeconds: 4 });
    const ada = await open(remote.url, remote.bearer('ada'));
    const bob = await open(remote.url, remote.bearer('bob'));
    const stream = await fetch(remote.url, { headers: bob });
    await until(() => target.arrived.some(({ method }) => method === 'DELETE'));
    expect(target.arrived.at(-1)?.headers['mcp-session-id']).toBe('session-1');
    expect((await post(remote.url, call(1, 'x'), ada)).status).toBe(404);
    expect((await post(remote.url, call(1, 'x'), bob)).status).toBe(200);
    await stream.body?.cancel();
  });
});

test('close() ends streams, answers what waits with 503, and refuses what comes', async () => {
  const target = await startTarget((req, res) => {
    req.resume();
    if (req.method === 'GET') res.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
  });
  const remote = await serveRemote(target.url);
  const ada = remote.bearer('ada');
  const stream = await fetch(remote.url, { headers: ada });
  const answer = post(remote.url, call(1, 'x'), ada);
  await until(() => remote.backend.stats().pending === 1);
  await remote.backend.close();
  expect(await stream.text()).toBe('');
  const [waiting, late] = [await answer, await post(remote.url, call(2, 'x'), ada)];
  expect([waiting.status, await reasonOf(waiting), late.status, await reasonOf(late)]).toEqual([
    503,
    'closing',
    503,
    'closing',
  ]);
  expect(remote.backend.stats()).toEqual({ sessions: 0, streams: 0, pending: 0 });
  await until(async () => (await connectionsOf(target)) === 0);
});

test('a function for headers that never settles: 502 after 10 seconds, and nothing sent', async () => {
  const target = await startRecordingTarget();
  const remote = await serveRemote(target.url, { headers: () => new Promise(() => undefined) });
  const response = await post(remote.url, call(1, 'x'), remote.bearer('ada'));
  expect([response.status, await reasonOf(response)]).toEqual([502, 'caller_headers_failed']);
  expect(remote.lines.at(-1)).toContain('headers() did not settle within 10 seconds');
  expect(target.bytes()).toBe('');
});

test('publishes its numbers on a diagnostics channel', async () => {
  const seen: unknown[] = [];
  const listener = (message: unknown): void => void seen.push(message);
  subscribe('express-mcp-auth:http', listener);
  onTestFinished(() => void unsubscribe('express-mcp-auth:http', listener));
  const target = await startRecordingTarget();
  const remote = await serveRemote(target.url);
  const ada = await open(remote.url, remote.bearer('ada'));
  const stream = await fetch(remote.url, { headers: { accept: 'text/event-stream', ...ada } });
  await until(() => seen.length > 0);
  expect(seen).toEqual([{ sessions: 1, streams: 1, pending: 0 }]);
  await remote.backend.close();
  expect(seen.at(-1)).toEqual({ sessions: 0, streams: 0, pending: 0 });
  await stream.body?.cancel();
});
