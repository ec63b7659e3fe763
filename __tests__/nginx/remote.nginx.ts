import { afterEach, describe, expect, test } from 'vitest';
import { serveRemote } from '../support/http-backend.js';
import { eventsOf, nextMessage, reasonOf } from '../support/mcp-answers.js';
import { call, open, post } from '../support/mcp-requests.js';
import { PROXY_LINES, startNginx } from '../support/nginx.js';
import { endPrograms } from '../support/program.js';
import { answerMcp, startRecordingTarget, startTarget } from '../support/recording-target.js';
import { startEverything } from '../support/remote-servers.js';
import { progressOfBoth, SDK_USERS } from '../support/sdk-users.js';
import { until } from '../support/until.js';

afterEach(endPrograms);

/** nginx as Debian ships it: HTTP/1.0 to the server behind it, and buffers. */
const AS_IT_COMES = '';
/** It waits for a second and no longer. */
const IMPATIENT = `${PROXY_LINES} proxy_read_timeout 1s; proxy_send_timeout 1s;`;

const originOf = (url: string): string => new URL(url).origin;
const stream = (url: string, headers: object): Promise<Response> =>
  fetch(url, { headers: { accept: 'text/event-stream', ...headers } });

describe('nginx in front of mcpHttpBackend()', () => {
  test.each([
    ['as it comes, with HTTP/1.0 and buffers', AS_IT_COMES],
    ['with HTTP/1.1', PROXY_LINES],
  ])('%s: an event of a stream arrives while the stream is open', async (_case, lines) => {
    const remote = await serveRemote((await startRecordingTarget()).url);
    const url = `${await startNginx(originOf(remote.url), lines)}/mcp`;
    const session = await open(url, remote.bearer('ada'));
    const response = await stream(url, session);
    expect(await nextMessage(eventsOf(response))).toMatchObject({ method: 'hello' });
    expect(remote.backend.stats().streams).toBe(1);
  });

  test('when it gives up a quiet stream, nothing of it stays open, and the session goes on', async () => {
    const target = await startRecordingTarget();
    const remote = await serveRemote(target.url);
    const url = `${await startNginx(originOf(remote.url), IMPATIENT)}/mcp`;
    const session = await open(url, remote.bearer('ada'));
    const response = await stream(url, session);
    await expect(response.text()).rejects.toThrow();
    await until(() => remote.backend.stats().streams === 0);
    expect((await post(url, call(1, 'echo'), session)).status).toBe(200);
    expect(await nextMessage(eventsOf(await stream(url, session)))).toMatchObject({ method: 'hello' });
  });

  test('when it gives up a slow call, the call to the target ends too', async () => {
    let hungUp = 0;
    const answer = answerMcp();
    const target = await startRecordingTarget((arrived, res, req) => {
      if (!arrived.body.includes('tools/call')) answer(arrived, res, req);
      else res.on('close', () => void hungUp++);
    });
    const remote = await serveRemote(target.url);
    const url = `${await startNginx(originOf(remote.url), IMPATIENT)}/mcp`;
    const session = await open(url, remote.bearer('ada'));
    expect((await post(url, call(1, 'slow'), session)).status).toBe(504);
    await until(() => hungUp === 1 && remote.backend.stats().pending === 0);
    // It was sent once.
    expect(target.arrived.filter(({ body }) => body.includes('tools/call'))).toHaveLength(1);
  });
});

describe('nginx between mcpHttpBackend() and its target', () => {
  test.each(SDK_USERS)(
    'and another one in front: serves two users of %s at once, each alone',
    async (_sdk, connect) => {
      const { url: server } = await startEverything();
      const between = await startNginx(originOf(server), `${PROXY_LINES} proxy_buffering off;`);
      const remote = await serveRemote(`${between}/mcp`);
      const url = `${await startNginx(originOf(remote.url))}/mcp`;
      const [ada, bob] = await Promise.all([
        connect(url, 'ada', remote.bearer('ada')),
        connect(url, 'bob', remote.bearer('bob')),
      ]);
      expect(await progressOfBoth(ada, bob)).toEqual({ ada: [1, 2, 3], bob: [1, 2, 3, 4, 5] });
      await Promise.all([ada.close(), bob.close()]);
    },
  );

  test('when it gives up a quiet stream, the client sees that it broke, and can open it again', async () => {
    const between = await startNginx(originOf((await startRecordingTarget()).url), IMPATIENT);
    const { url, bearer, lines } = await serveRemote(`${between}/mcp`);
    const session = await open(url, bearer('ada'));
    await expect((await stream(url, session)).text()).rejects.toThrow();
    await until(() => lines.some((line) => line.includes('target_broke_off')));
    expect((await stream(url, session)).status).toBe(200);
  });

  test.each([
    ['gives up a slow call', 'slow', 'target_failed', 'status 504'],
    ['does not reach the target', 'down', 'target_failed', 'status 502'],
    ['redirects', 'elsewhere', 'target_redirected', 'status 301'],
  ])('when it %s, the client gets 502, and no page of its own', async (_case, what, reason, detail) => {
    const target = await startTarget((req) => void req.resume());
    const upstream = what === 'down' ? 'http://127.0.0.1:1' : originOf(target.url);
    const lines = what === 'elsewhere' ? 'return 301 http://elsewhere.example/;' : IMPATIENT;
    const { url, bearer, lines: logged } = await serveRemote(`${await startNginx(upstream, lines)}/mcp`);
    const response = await post(url, { jsonrpc: '2.0', id: 1, method: 'tools/list' }, bearer('ada'));
    expect([response.status, await reasonOf(response)]).toEqual([502, reason]);
    expect(logged.join('\n')).toContain(detail);
  });
});
