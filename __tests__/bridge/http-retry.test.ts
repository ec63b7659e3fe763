import { createServer } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { serveRemote } from '../support/http-backend.js';
import { freePort, listen, stop } from '../support/loopback-server.js';
import { initialize, JSON_HEADERS } from '../support/mcp-requests.js';
import { answerMcp, startRecordingTarget } from '../support/recording-target.js';

/** A target that answers its first requests with this status. */
async function startFailing(status: number, times: number) {
  const answer = answerMcp();
  let left = times;
  return startRecordingTarget((arrived, res, req) => {
    if (left-- > 0) res.writeHead(status, { 'mcp-session-id': 'of-a-failure' }).end('failed');
    else answer(arrived, res, req);
  });
}

const request = (method: string, params: object = {}) => JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });

const retry = { attempts: 3, codes: [503, 429] };

async function send(url: string, method: string, body?: string, headers: Record<string, string> = {}) {
  const remote = await serveRemote(url, { retry });
  const init = {
    method,
    ...(body !== undefined && { body }),
    headers: { ...JSON_HEADERS, ...remote.bearer('a'), ...headers },
  };
  const response = await fetch(remote.url, init);
  const text = method === 'GET' ? '' : await response.text();
  if (method === 'GET') await response.body?.cancel();
  return { status: response.status, text, lines: remote.lines, session: response.headers.get('mcp-session-id') };
}

describe('after a status in codes, mcpHttpBackend() sends again', () => {
  test.each<readonly [string, string]>([
    ['initialize', JSON.stringify(initialize())],
    ...['ping', 'server/discover', 'tools/list', 'prompts/list', 'resources/list', 'resources/templates/list'].map(
      (method) => [method, request(method)] as const,
    ),
  ])('%s', async (_method, body) => {
    const target = await startFailing(503, 2);
    const { status, session, lines } = await send(target.url, 'POST', body);
    expect([status, session]).toEqual([200, 'session-1']);
    expect(target.arrived.map((each) => each.body)).toEqual([body, body, body]);
    expect(lines).toEqual([]);
  });

  test.each(['GET', 'DELETE'])('%s', async (method) => {
    const target = await startFailing(429, 1);
    expect((await send(target.url, method)).status).toBe(200);
    expect(target.arrived.map((each) => each.method)).toEqual([method, method]);
  });

  test('not more often than attempts says, and then fails as without retry', async () => {
    const target = await startFailing(503, 9);
    const { status, text, lines } = await send(target.url, 'POST', request('ping'));
    expect([status, target.arrived.length]).toEqual([502, 3]);
    expect(text).toContain('target_failed');
    expect(lines).toEqual([expect.stringContaining('status 503 (target_failed)')]);
  });
});

describe('mcpHttpBackend() does not send again', () => {
  const long = 'x'.repeat(70_000);
  test.each([
    ['a call', request('tools/call', { name: 'a' })],
    ['the reading of a resource', request('resources/read', { uri: 'a' })],
    ['a notification', JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })],
    ['a batch', `[${request('ping')},${request('tools/call', { name: 'a' })}]`],
    ['a batch of one', `[${request('ping')}]`],
    ['a message that can be read in two ways', '{"jsonrpc":"2.0","id":1,"method":"tools/call","method":"ping"}'],
    ['a message with another spelling of its method', '{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call"}'],
    ['a long body', request('ping', { long })],
    ['a body that is no JSON', 'ping'],
  ])('%s', async (_what, body) => {
    const target = await startFailing(503, 2);
    expect((await send(target.url, 'POST', body)).status).toBe(502);
    expect(target.arrived).toHaveLength(1);
  });

  test('after another status', async () => {
    const target = await startFailing(500, 2);
    expect((await send(target.url, 'POST', request('ping'))).status).toBe(502);
    expect(target.arrived).toHaveLength(1);
  });

  test('after a connection that broke off', async () => {
    const target = await startRecordingTarget((_arrived, _res, req) => req.socket.destroy());
    expect((await send(target.url, 'POST', request('ping'))).status).toBe(502);
    expect(target.arrived).toHaveLength(1);
  });

  test('without the option', async () => {
    const target = await startFailing(503, 1);
    const remote = await serveRemote(target.url);
    const headers = { ...JSON_HEADERS, ...remote.bearer('a') };
    expect((await fetch(remote.url, { method: 'POST', headers, body: request('ping') })).status).toBe(502);
    expect(target.arrived).toHaveLength(1);
  });
});

describe('a server that does not listen yet', () => {
  const call = request('tools/call', { name: 'a' });

  async function startLate() {
    const port = await freePort();
    const bodies: string[] = [];
    const server = createServer((req, res) => {
      let body = '';
      req.on('data', (chunk) => (body += chunk));
      req.on('end', () => {
        bodies.push(body);
        res.writeHead(200, { 'content-type': 'application/json' }).end('{"jsonrpc":"2.0","id":1,"result":{}}');
      });
    });
    onTestFinished(() => stop(server));
    return { url: `http://127.0.0.1:${port}/mcp`, bodies, start: () => listen(server, port) };
  }

  test('gets even a call once it listens, and gets it once', async () => {
    const late = await startLate();
    const remote = await serveRemote(late.url, { retry: { attempts: 1_000, backoffMs: 20 } });
    const headers = { ...JSON_HEADERS, ...remote.bearer('a') };
    const answer = fetch(remote.url, { method: 'POST', headers, body: call });
    await wait(100);
    await late.start();
    expect([(await answer).status, late.bodies]).toEqual([200, [call]]);
  });

  test('is unreachable after the last attempt', async () => {
    const late = await startLate();
    const { status, text } = await send(late.url, 'POST', call);
    expect([status, text.includes('target_unreachable')]).toEqual([502, true]);
  });

  test('is asked once by ready()', async () => {
    const late = await startLate();
    const remote = await serveRemote(late.url, { retry: { attempts: 1_000, backoffMs: 1_000 } });
    expect(await remote.backend.ready()).toBe(false);
  });
});
