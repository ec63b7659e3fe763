import { describe, expect, onTestFinished, test } from 'vitest';
import { type McpStdioBackendOptions, mcpBackend, mcpStdioBackend } from '../../src/index.js';
import { messagesOf, reasonOf } from '../support/mcp-answers.js';
import { call, callText, type Headers, initialize, post, statelessText } from '../support/mcp-requests.js';
import { NODE, SCRIPTED, type Served, serveBackend } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

const ADA = { authorization: 'Bearer ada' };
const BOB = { authorization: 'Bearer bob' };

type Serve = (options?: Partial<McpStdioBackendOptions>) => Promise<Served<ReturnType<typeof mcpStdioBackend>>>;

const WAYS: readonly [who: string, serve: Serve][] = [
  [
    'mcpStdioBackend()',
    (options) => serveBackend(mcpStdioBackend({ command: NODE, args: [SCRIPTED], sessions: false, ...options })),
  ],
  [
    'mcpBackend()',
    ({ env, ...options } = {}) => {
      const backend = mcpBackend({
        targets: { one: { command: NODE, args: [SCRIPTED], env } },
        sessions: false,
        ...options,
      });
      const own = backend.stats;
      const stats = () => ({ ...own(), children: own().connections });
      return serveBackend(Object.assign(backend, { stats }));
    },
  ],
];

describe.each(WAYS)('%s with sessions: false', (_who, start) => {
  const serve: Serve = async (options) => {
    const served = await start(options);
    onTestFinished(() => served.stop());
    return served;
  };
  const answerTo = async (url: string, message: unknown, headers: Headers = ADA) => {
    const [answer] = await messagesOf(await post(url, message, headers));
    return answer;
  };

  test('answers initialize without a session id, and with what the server said', async () => {
    const { url } = await serve();
    const response = await post(url, initialize('2025-06-18', 'mine'), ADA);
    expect(response.headers.get('mcp-session-id')).toBeNull();
    expect(await response.json()).toEqual({
      jsonrpc: '2.0',
      id: 'mine',
      result: {
        capabilities: { tools: {}, logging: {} },
        serverInfo: { name: 'scripted', version: '1' },
        protocolVersion: '2025-06-18',
        instructions: '',
      },
    });
  });

  test.each([
    ['2024-11-05', undefined, '2024-11-05'],
    ['2025-11-25', '2025-06-18', '2025-06-18'],
    ['1999-01-01', undefined, '2025-11-25'],
  ])('a client that wants %s from a server that speaks %s gets %s', async (wanted, REVISION, given) => {
    const { url } = await serve({ env: REVISION === undefined ? {} : { REVISION } });
    expect(await answerTo(url, initialize(wanted))).toMatchObject({ result: { protocolVersion: given } });
  });

  test('each user has one process for all requests, also without initialize', async () => {
    const { url, backend } = await serve();
    const pids = await Promise.all([1, 2, 3].map(() => callText(url, ADA, 'pid')));
    await post(url, initialize(), ADA);
    expect(new Set([...pids, await callText(url, ADA, 'pid')]).size).toBe(1);
    expect(await callText(url, BOB, 'pid')).not.toBe(pids[0]);
    expect(backend.stats()).toMatchObject({ sessions: 0, children: 2 });
  });

  test('equal ids and progress tokens of two clients are kept apart', async () => {
    const { url } = await serve();
    const works = [3, 5].map(async (steps) =>
      messagesOf(await post(url, call(1, 'progress', { steps, delay: 20 }, { progressToken: 'same' }), ADA)),
    );
    const [three = [], five = []] = await Promise.all(works);
    expect([three.length, five.length]).toEqual([4, 6]);
    const ids = [...three, ...five].map(({ params, id }) => id ?? (params as { progressToken: string }).progressToken);
    expect(ids).toEqual([...Array(3).fill('same'), 1, ...Array(5).fill('same'), 1]);
  });

  test('requests of the server to the client are refused, and ping is answered', async () => {
    const { url } = await serve();
    expect(JSON.parse(await callText(url, ADA, 'ask'))).toMatchObject({ code: -32601 });
    expect(await answerTo(url, { jsonrpc: '2.0', id: 7, method: 'ping' })).toEqual({
      jsonrpc: '2.0',
      id: 7,
      result: {},
    });
  });

  test.each([
    ['cancels a request of its own under the same id', 'notifications/cancelled', 'requestId'],
    ['reports progress that the client has not asked for', 'notifications/progress', 'progressToken'],
  ])('a server %s: the client gets its answer, and nothing else', async (_what, method, name) => {
    const { url } = await serve();
    const line = `{"jsonrpc":"2.0","method":"${method}","params":{"${name}":ID}}\n`;
    const messages = await messagesOf(await post(url, call(1, 'print', { line, answer: true }), ADA));
    expect(messages).toMatchObject([{ id: 1, result: { content: [{ text: 'after it' }] } }]);
  });

  test('a method that the server does not know is answered with status 200', async () => {
    const { url } = await serve();
    const response = await post(url, { jsonrpc: '2.0', id: 1, method: 'no/such' }, ADA);
    expect([response.status, await response.json()]).toMatchObject([200, { id: 1, error: { code: -32601 } }]);
  });

  test('notifications and responses get 202; those about a conversation do not reach the server', async () => {
    const { url } = await serve();
    const methods = ['notifications/initialized', 'notifications/progress', 'notifications/roots/list_changed'];
    for (const method of methods) expect((await post(url, { jsonrpc: '2.0', method }, ADA)).status).toBe(202);
    expect((await post(url, { jsonrpc: '2.0', id: 'x', result: {} }, ADA)).status).toBe(202);
    const received = JSON.parse(await callText(url, ADA, 'received'));
    expect(received).toEqual(['notifications/initialized', 'notifications/roots/list_changed']);
  });

  test('a client cancels its request, under the id that the server knows', async () => {
    const { url, backend } = await serve();
    const hanging = post(url, call('mine', 'hang'), ADA);
    await until(() => backend.stats().pending === 1);
    const cancel = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'mine' } };
    await post(url, cancel, BOB);
    expect(backend.stats().pending).toBe(1);
    await post(url, cancel, ADA);
    expect(await reasonOf(await hanging)).toBe('cancelled');
    expect(JSON.parse(await callText(url, ADA, 'cancelled'))).toHaveLength(1);
  });

  test('a client that hangs up cancels its request', async () => {
    const { url, backend } = await serve();
    const abort = new AbortController();
    const hanging = post(url, call(1, 'hang'), ADA, abort.signal).catch(() => undefined);
    await until(() => backend.stats().pending === 1);
    abort.abort();
    await hanging;
    await until(() => backend.stats().pending === 0);
    expect(JSON.parse(await callText(url, ADA, 'cancelled'))).toHaveLength(1);
  });

  test('a client that hangs up cancels the whole batch, however long', async () => {
    const warned: Error[] = [];
    const onWarning = (warning: Error): void => void warned.push(warning);
    process.on('warning', onWarning);
    onTestFinished(() => void process.off('warning', onWarning));
    const { url, backend } = await serve();
    const abort = new AbortController();
    const batch = Array.from({ length: 15 }, (_, id) => call(id, 'hang'));
    const hanging = post(url, batch, ADA, abort.signal).catch(() => undefined);
    await until(() => backend.stats().pending === 15);
    abort.abort();
    await hanging;
    await until(() => backend.stats().pending === 0);
    expect(JSON.parse(await callText(url, ADA, 'cancelled'))).toHaveLength(15);
    expect(warned).toEqual([]);
  });

  test.each(['GET', 'DELETE', 'PUT'])('%s gets 405', async (method) => {
    const { url } = await serve();
    const response = await fetch(url, { method, headers: { ...ADA, accept: 'text/event-stream' } });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
  });

  test.each([
    ['a batch of 2025-03-26', { 'mcp-protocol-version': '2025-03-26' }, [call(1, 'echo'), call(1, 'pid')], 200],
    ['a batch without a version', {}, [call(1, 'echo')], 200],
    ['a batch of 2025-06-18', { 'mcp-protocol-version': '2025-06-18' }, [call(1, 'echo')], 400],
    ['initialize in a batch', {}, [initialize()], 400],
    ['an unknown version', { 'mcp-protocol-version': '1999-01-01' }, call(1, 'echo'), 400],
    ['a session id, which is ignored', { 'mcp-session-id': 'x' }, call(1, 'echo'), 200],
  ] as const)('%s', async (_what, headers, message, status) => {
    const { url } = await serve();
    const response = await post(url, message, { ...ADA, ...headers });
    const body = await response.json();
    expect(response.status).toBe(status);
    if (status === 200 && Array.isArray(message)) expect(body).toHaveLength(message.length);
  });

  test('a process that exits fails its requests, and is started again', async () => {
    const { url, backend } = await serve();
    const pid = await callText(url, ADA, 'pid');
    expect(await reasonOf(await post(url, call(1, 'crash'), ADA))).toBe('child_exited');
    expect(await callText(url, ADA, 'pid')).not.toBe(pid);
    expect(backend.stats()).toMatchObject({ restarts: 1, children: 1 });
  });

  test('a process that exits before it answered a request is not started again until there is one', async () => {
    const { url, backend } = await serve({ env: { EXIT_ON: 'notifications/initialized' } });
    await post(url, initialize(), ADA);
    await until(() => backend.stats().children === 0);
    expect(backend.stats().restarts).toBe(0);
    expect((await post(url, initialize(), ADA)).status).toBe(200);
    expect(backend.stats()).toMatchObject({ restarts: 0, children: 1 });
  });

  test.each([
    ['separate', 2],
    ['shared', 1],
  ] as const)('anonymousRequests: %s', async (anonymousRequests, count) => {
    const { url } = await serve({ anonymousRequests });
    const pids = [await callText(url, {}, 'pid'), await callText(url, {}, 'pid')];
    expect(new Set(pids).size).toBe(count);
  });

  test('anonymousRequests: refuse', async () => {
    const { url } = await serve({ anonymousRequests: 'refuse' });
    const response = await post(url, initialize('2025-06-18', 3));
    expect([response.status, await response.json()]).toMatchObject([
      403,
      { id: 3, error: { data: { reason: 'anonymous_refused' } } },
    ]);
  });

  const refusal = '{"jsonrpc":"2.0","id":ID,"error":{"code":-32602,"message":"no"}}\n';
  test.each([
    ['exits', { env: { FAILS: '1' } }, 502, 'child_exited'],
    ['does not answer initialize', { env: { NULL_AT_START: '1' }, startTimeoutSeconds: 1 }, 504, 'start_timed_out'],
    ['refuses initialize', { env: { PRINT_AT_START: refusal } }, 502, 'initialize_refused'],
    ['answers initialize at length', { maxMessageBytes: 100 }, 502, 'message_too_large'],
    ['answers initialize with 1 MiB', { env: { LONG_START: '1048576' } }, 502, 'message_too_large'],
  ])('a program that %s: its request gets an error, and it ends', async (_how, options, status, reason) => {
    const { url, backend } = await serve(options as Partial<McpStdioBackendOptions>);
    const response = await post(url, call(5, 'echo'), ADA);
    expect([response.status, await response.json()]).toMatchObject([status, { id: 5, error: { data: { reason } } }]);
    await until(() => backend.stats().children === 0);
  });

  test('requests of 2026-07-28 are served beside', async () => {
    const { url, backend } = await serve({ env: { STATELESS: '1' } });
    expect(await callText(url, ADA, 'pid')).not.toBe(await statelessText(url, 'pid', {}, ADA));
    await backend.close();
    expect(backend.stats()).toMatchObject({ children: 0, pending: 0 });
    expect((await post(url, call(1, 'pid'), ADA)).status).toBe(503);
  });
});
