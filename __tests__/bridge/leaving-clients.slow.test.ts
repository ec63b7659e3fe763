import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { describe, expect, test } from 'vitest';
import { startAuthenticatedBridge } from '../support/authenticated-bridge.js';
import {
  call,
  callText,
  type Headers,
  initialize,
  JSON_HEADERS,
  listen,
  open,
  post,
  statelessText,
} from '../support/mcp-requests.js';
import { isRunning } from '../support/program.js';
import { serve } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

/** Runs a real client. Like all clients, it never ends its session. Returns the pid of its server. */
async function runClient(url: string, headers: Headers): Promise<number> {
  const client = new Client({ name: 'run', version: '1' });
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }) as never);
  const { content } = await client.callTool({ name: 'pid', arguments: {} });
  await client.close();
  return Number((content as [{ text: string }])[0].text);
}

test('twenty clients of one user, none of which ends its session, are all served', async () => {
  const bridge = await startAuthenticatedBridge({ idleTimeoutSeconds: 2 });
  const pids: number[] = [];
  for (let i = 0; i < 20; i++) pids.push(await runClient(bridge.url, bridge.bearer({ sub: 'ada', client_id: 'c' })));
  expect(bridge.backend.stats().sessions).toBeLessThanOrEqual(10);
  await until(() => bridge.backend.stats().children === 0 && !pids.some(isRunning), 30_000);
  expect(bridge.backend.stats()).toEqual({ sessions: 0, children: 0, pending: 0, restarts: 0 });
  await bridge.stop();
});

const options = { maxSessions: 40, idleTimeoutSeconds: 8 };

describe.each([
  ['without mcpAuth()', () => serve(options)],
  ['behind mcpAuth()', () => startAuthenticatedBridge(options, { mode: 'optional' })],
])('a hundred anonymous clients, %s', (_where, start) => {
  test('are all served, and leave nothing behind', async () => {
    const { url, backend, stop } = await start();
    const runInTurn = async (): Promise<number[]> => {
      const pids: number[] = [];
      for (let i = 0; i < 25; i++) pids.push(await runClient(url, {}));
      return pids;
    };
    const pids = (await Promise.all([runInTurn(), runInTurn(), runInTurn(), runInTurn()])).flat();
    expect(backend.stats().sessions).toBeLessThanOrEqual(40);
    await until(() => backend.stats().children === 0 && !pids.some(isRunning), 30_000);
    expect(backend.stats()).toEqual({ sessions: 0, children: 0, pending: 0, restarts: 0 });
    await stop();
  }, 90_000);
});

test('a client that registers again each time leaves no children that lock its user out', async () => {
  const bridge = await startAuthenticatedBridge({ maxSessionsPerUser: 3 });
  for (let i = 0; i < 9; i++)
    await statelessText(bridge.url, 'pid', {}, bridge.bearer({ sub: 'ada', client_id: `c${i}` }));
  expect(bridge.backend.stats().restarts).toBe(0);
  await bridge.stop();
});

test('the session that ends is the one unused for the longest time, and never one in use', async () => {
  const bridge = await startAuthenticatedBridge({ maxSessionsPerUser: 4 });
  const { url } = bridge;
  const ada = () => bridge.bearer({ sub: 'ada', client_id: 'c' });
  const [listening, calling, old, young] = [
    await open(url, ada()),
    await open(url, ada()),
    await open(url, ada()),
    await open(url, ada()),
  ];
  await listen(url, listening);
  const hanging = post(url, call(1, 'progress', { steps: 1, delay: 2_000 }), calling);
  await until(() => bridge.backend.stats().pending === 1);
  await callText(url, young as Headers, 'echo');
  await open(url, ada());
  expect((await post(url, call(2, 'echo'), old)).status).toBe(404);
  for (const session of [listening, calling, young]) expect(await callText(url, session as Headers, 'echo')).toBe('{}');
  expect((await hanging).status).toBe(200);
  await bridge.stop();
});

test('a session is in use while the body of a request to it arrives', async () => {
  const bridge = await startAuthenticatedBridge({ maxSessionsPerUser: 1 });
  const ada = () => bridge.bearer({ sub: 'ada', client_id: 'c' });
  const session = await open(bridge.url, ada());
  const body = JSON.stringify(call(1, 'echo'));
  const { hostname, port } = new URL(bridge.url);
  const request = httpRequest({
    ...{ hostname, port, path: new URL(bridge.url).pathname, method: 'POST' },
    headers: { ...JSON_HEADERS, ...session, 'content-length': body.length },
  });
  const answered = once(request, 'response');
  await new Promise<void>((resolve) => request.write(body.slice(0, 10), () => resolve()));
  await until(async () => (await post(bridge.url, initialize(), ada())).status === 429);
  request.end(body.slice(10));
  const [response] = await answered;
  expect(response.statusCode).toBe(200);
  response.resume();
  await bridge.stop();
});
