import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { SILENT } from '../../src/core/logger.js';
import { SlowReaders } from '../../src/targets/slow-readers.js';
import { Child } from '../../src/targets/stdio/child.js';
import { acquireWatchdog, releaseWatchdog } from '../../src/targets/stdio/watchdog.js';
import { listen, originOf, stop } from '../support/loopback-server.js';
import { reasonOf } from '../support/mcp-answers.js';
import {
  call,
  callText,
  initialize,
  open,
  post,
  postStateless,
  statelessCall,
  statelessRequest,
  statelessText,
} from '../support/mcp-requests.js';
import { fixture, NODE, SCRIPTED, type Served, serve } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

const started = async (options: Parameters<typeof serve>[0]): Promise<Served> => {
  const served = await serve(options);
  onTestFinished(() => served.stop());
  return served;
};

test('a process without file descriptors refuses a session, and lives on', async () => {
  const command = `ulimit -n 64; exec "$0" "$@"`;
  const child = spawn('sh', ['-c', command, NODE, fixture('few-descriptors.mjs'), SCRIPTED], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  expect([said, code]).toEqual(['[true,200]\n', 0]);
});

test('a child that closes its input, and lives on, is stopped: no request waits for it', async () => {
  const { url } = await started({});
  const session = await open(url);
  expect(await callText(url, session, 'deaf')).toBe('listening no more');
  const response = await post(url, call(3, 'echo'), session);
  expect(['child_exited', 'unknown_session']).toContain(await reasonOf(response));
});

describe('an answer over the limit', () => {
  test.each(['a', 'é', '1.5', 1.5, -2e-3])('fails the call with the id %j', async (id) => {
    const { url } = await started({ maxMessageBytes: 100_000 });
    const session = await open(url);
    for (const tool of ['big', 'big-id-first', 'big-in-parts']) {
      const waiting = post(url, call('other', 'progress', { steps: 1, delay: 500 }), session);
      const failed = await post(url, call(id, tool, { bytes: 300_000 }), session);
      expect(await failed.json()).toMatchObject({ id, error: { data: { reason: 'message_too_large' } } });
      expect(await (await waiting).json(), `beside ${tool}`).toMatchObject({ id: 'other', result: {} });
    }
  });
});

describe('a message over the limit that is no answer', () => {
  const WAYS = {
    'with a session': (url: string) => open(url),
    'without one': async () => ({ authorization: 'Bearer ada' }),
  };

  test.each(Object.entries(WAYS))('leaves the requests in flight alone, %s', async (way, begin) => {
    const { url } = await started({ maxMessageBytes: 100_000, sessions: way === 'with a session' });
    const headers = await begin(url);
    const waiting = post(url, call(1, 'progress', { steps: 1, delay: 1_500 }), headers);
    expect(await callText(url, headers, 'log', { line: 'x'.repeat(300_000) })).toBe('logged');
    for (const methodFirst of [true, false]) {
      const refusal = await callText(url, headers, 'ask-much', { as: 1, bytes: 300_000, methodFirst });
      expect(JSON.parse(refusal)).toEqual({ code: -32603, message: 'The request is over the limit (maxMessageBytes)' });
    }
    expect(await (await waiting).json()).toMatchObject({ id: 1, result: {} });
  });
});

test('the number of processes is limited even if children ignore SIGTERM', async () => {
  const { url, backend } = await started({ maxSessions: 2, env: { STUBBORN: '1' } });
  let refused = 0;
  for (let i = 0; i < 10; i++) {
    const response = await post(url, initialize());
    if (response.status === 503) refused++;
    else {
      const session = { 'mcp-session-id': response.headers.get('mcp-session-id') ?? '' };
      await fetch(url, { method: 'DELETE', headers: session });
    }
    expect(backend.stats().children).toBeLessThanOrEqual(4);
  }
  expect(refused).toBeGreaterThan(0);
});

test('a user whose children ignore SIGTERM does not lock out other users', async () => {
  const { url, backend } = await started({ maxSessions: 10, maxSessionsPerUser: 1, env: { STUBBORN: '1' } });
  const [ada, bob] = [{ authorization: 'Bearer ada' }, { authorization: 'Bearer bob' }];
  const openAndLeave = async () => {
    const response = await post(url, initialize(), ada);
    const session = { ...ada, 'mcp-session-id': response.headers.get('mcp-session-id') ?? '' };
    if (response.status === 200) await fetch(url, { method: 'DELETE', headers: session });
    return response.status;
  };
  const statuses = [];
  for (let i = 0; i < 6; i++) statuses.push(await openAndLeave());
  expect(statuses).toEqual([200, 200, 429, 429, 429, 429]);
  expect(backend.stats().children).toBe(2);
  expect((await post(url, initialize(), bob)).status).toBe(200);
  await until(async () => (await openAndLeave()) === 200);
});

test('a child that is slow to start is not taken for idle', async () => {
  const { url } = await started({ idleTimeoutSeconds: 1, env: { STATELESS: '1', SLOW_START: '2500' } });
  expect((await postStateless(url, statelessRequest(1, 'ping'))).status).toBe(200);
});

test('a shared child that reads nothing does not delay a new session', async () => {
  const { url } = await started({ anonymousRequests: 'shared', env: { STATELESS: '1' } });
  statelessText(url, 'nap', { ms: 60_000 }).catch(() => undefined);
  await until(async () => {
    const big = {
      jsonrpc: '2.0',
      method: 'notifications/x',
      params: statelessRequest(0, 'x', { big: 'x'.repeat(500_000) }).params,
    };
    const response = await Promise.race([
      postStateless(url, big as never),
      new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), 200)),
    ]);
    return response === undefined;
  });
  expect((await post(url, initialize(), {}, AbortSignal.timeout(15_000))).status).toBe(200);
});

describe('parameters in headers', () => {
  test('are checked against the first list if the child does not list its tools again', async () => {
    const { url } = await started({ anonymousRequests: 'shared', env: { STATELESS: '1', LISTS_ONCE: '1' } });
    const wrong = { 'mcp-param-region': 'us' };
    for (const _ of [1, 2]) {
      const response = await postStateless(url, statelessCall(1, 'mirrored', { region: 'eu' }), wrong);
      expect([response.status, await reasonOf(response)]).toEqual([400, 'header_mismatch']);
    }
  });

  test('are checked against the pages that came if a later one fails', async () => {
    const { url } = await started({ env: { STATELESS: '1', PAGES: '1' } });
    const message = statelessCall(1, 'mirrored', { region: 'eu' });
    expect((await postStateless(url, message, { 'mcp-param-region': 'us' })).status).toBe(400);
    expect((await postStateless(url, message, { 'mcp-param-region': 'eu' })).status).toBe(200);
  });

  test.each([
    ['name', { name: { toString: 1, valueOf: 1 } }],
    ['argument', { name: 'mirrored', arguments: { region: { toString: 1, valueOf: 1 } } }],
  ])('that cannot be converted to text (%s) are not answered 500', async (_name, params) => {
    const { url, errors } = await started({ env: { STATELESS: '1' } });
    const message = statelessRequest(1, 'tools/call', params);
    const response = await postStateless(url, message, { 'mcp-name': 'mirrored', 'mcp-param-region': 'x' });
    expect(response.status).not.toBe(500);
    expect(errors).toEqual([]);
  });
});

test('a client that accepts only JSON gets no event stream', async () => {
  const { url } = await started({ env: { STATELESS: '1' } });
  const message = statelessCall(1, 'progress', { steps: 3 }, { progressToken: 'a' });
  const response = await postStateless(url, message, { accept: 'application/json' });
  expect(response.headers.get('content-type')).toBe('application/json');
  expect(await response.json()).toMatchObject({ id: 1, result: {} });
});

test('a response to an unknown id does not end a session that is being opened', async () => {
  const program = `process.stdout.write('{"jsonrpc":"2.0","id":"unknown","error":{"code":1,"message":"early"}}\\n'); await import(${JSON.stringify(SCRIPTED)});`;
  const { url } = await started({ args: ['--input-type=module', '-e', program] });
  expect(await callText(url, await open(url), 'echo')).toBe('{}');
});

describe('a client that does not read its answer', () => {
  const setUp = async () => {
    const recipe = {
      command: NODE,
      args: [SCRIPTED],
      cwd: undefined,
      maxMessageBytes: 1_000,
      maxWaiting: 1,
      waitMs: 0,
    };
    const child = new Child({ ...recipe, watchdog: acquireWatchdog(), logger: SILENT }, {});
    const slowReaders = new SlowReaders(child, () => undefined);
    const server = createServer((req, res) => {
      if (req.url === '/never') return;
      res.end('x'.repeat(50_000_000));
      slowReaders.pauseFor(res, 400);
    });
    await listen(server);
    const { port } = new URL(originOf(server));
    const lines: Buffer[] = [];
    child.listen({
      message: (bytes) => void lines.push(Buffer.from(bytes)),
      oversized: () => undefined,
      gone: () => undefined,
    });
    const socket = connect(Number(port), '127.0.0.1').pause();
    socket.on('error', () => undefined);
    onTestFinished(async () => {
      socket.destroy();
      await stop(server);
      await child.stop();
      await releaseWatchdog();
    });
    const answers = () => {
      child.write(Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' })));
      return until(() => lines.length > 0);
    };
    return { socket, answers };
  };
  const request = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;

  test.each([
    ['alone', request('/big')],
    ['behind an answer that never comes', request('/never') + request('/big')],
    ['while it keeps sending', request('/big')],
  ])('%s is disconnected, and the child is read again', async (name, sent) => {
    const { socket, answers } = await setUp();
    socket.write(sent);
    const more = setInterval(() => name.startsWith('while') && socket.write('\r\n'), 50);
    onTestFinished(() => clearInterval(more));
    await new Promise((resolve) => setTimeout(resolve, 100));
    await answers();
  });
});
