import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import express from 'express';
import { describe, expect, onTestFinished, test } from 'vitest';
import { mcpStdioBackend } from '../../src/bridge/mcp-stdio-backend.js';
import { SILENT } from '../../src/core/logger.js';
import { ChildSource } from '../../src/targets/stdio/child-source.js';
import { startAuthenticatedBridge } from '../support/authenticated-bridge.js';
import { reasonOf } from '../support/mcp-answers.js';
import {
  type Headers,
  initialize,
  listen,
  open,
  post,
  postStateless,
  statelessRequest,
  statelessText,
} from '../support/mcp-requests.js';
import { isRunning } from '../support/program.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { NODE, SCRIPTED, serve } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

const openWithStream = async (url: string, headers: Headers = {}) => {
  const session = await open(url, headers);
  await listen(url, session);
};

describe('anonymous callers behind an mcpAuth() have a share of their own', () => {
  test('of a quarter, beside which users with a token are served', async () => {
    const bridge = await startAuthenticatedBridge({ maxSessions: 8 }, { mode: 'optional' });
    const { url, lines } = bridge;
    await openWithStream(url);
    await openWithStream(url);
    const refused = await post(url, initialize());
    expect([refused.status, await reasonOf(refused)]).toEqual([503, 'too_many_sessions_of_anonymous']);
    await post(url, initialize());
    const refusalLines = lines.filter((line) => line.includes('maxAnonymousSessions'));
    expect(refusalLines).toEqual([
      expect.stringMatching(
        /^warn .* answered 503 \(too_many_sessions_of_anonymous\): .*, and clients use all of them: raise/,
      ),
    ]);
    for (const sub of ['a', 'b', 'c', 'd', 'e', 'f']) await openWithStream(url, bridge.bearer({ sub }));
    const beyond = await post(url, initialize(), bridge.bearer({ sub: 'g' }));
    expect([beyond.status, await reasonOf(beyond)]).toEqual([503, 'too_many_sessions']);
    await bridge.stop();
  });

  test.each(['optional', 'permissive'])('also in a flood, in %s mode', async (mode) => {
    const bridge = await startAuthenticatedBridge({ maxSessions: 12 }, { mode });
    const { url, backend } = bridge;
    const flood = await Promise.all(Array.from({ length: 40 }, () => post(url, initialize())));
    // A busy machine may answer some before others arrive: an answered session is not in use, and makes room.
    for (const { status } of flood) expect([200, 503]).toContain(status);
    expect(backend.stats().sessions).toBe(3);
    expect((await post(url, initialize(), bridge.bearer({ sub: 'ada' }))).status).toBe(200);
    await bridge.stop();
  });

  test('that maxAnonymousSessions changes', async () => {
    const bridge = await startAuthenticatedBridge({ maxSessions: 8, maxAnonymousSessions: 1 }, { mode: 'optional' });
    await openWithStream(bridge.url);
    expect((await post(bridge.url, initialize())).status).toBe(503);
    await bridge.stop();
  });

  test('and may open every session without an mcpAuth()', async () => {
    const { url, stop } = await serve({ maxSessions: 4 });
    for (let i = 0; i < 4; i++) await openWithStream(url);
    expect(await reasonOf(await post(url, initialize()))).toBe('too_many_sessions');
    await stop();
  });

  test('of children started ahead, too', async () => {
    const recipe = {
      command: NODE,
      args: [SCRIPTED],
      cwd: undefined,
      maxMessageBytes: 1_000,
      maxWaiting: 1,
      waitMs: 0,
    };
    const source = new ChildSource({ ...recipe, logger: SILENT }, () => ({}), 4);
    onTestFinished(() => source.close());
    const sizes = [true, true, true].map((isChecked) => {
      source.open({ auth: undefined, isChecked });
      return source.size;
    });
    expect(sizes, 'one of the four').toEqual([4, 5, 6]);
    source.open({ auth: undefined, isChecked: false });
    expect(source.size, 'without an mcpAuth()').toBe(6);
  });
});

describe('anonymous requests of 2026-07-28', () => {
  const countReceived = async (url: string, headers: Headers = {}) => {
    const message = statelessRequest(0, 'notifications/x', {}, { 'example.com/secret': 1 });
    await postStateless(url, { ...message, id: undefined } as unknown as typeof message, headers);
    return JSON.parse(await statelessText(url, 'received', {}, headers)).length;
  };

  test('have a child each, which ends with the answer, on one connection too', async () => {
    const { url, backend, stop } = await serve({ env: { STATELESS: '1' } });
    const pids: number[] = [];
    for (let i = 0; i < 3; i++) pids.push(Number(await statelessText(url, 'pid')));
    expect(new Set(pids).size).toBe(3);
    expect(await countReceived(url)).toBe(0);
    await until(() => backend.stats().children === 0 && !pids.some(isRunning));
    expect(await countReceived(url, { authorization: 'Bearer ada' })).toBe(1);
    await stop();
  });

  test('are served by children started ahead', async () => {
    const { url, backend, stop } = await serve({ env: { STATELESS: '1' }, warmChildren: 1 });
    expect(backend.stats().children).toBe(1);
    const pid = Number(await statelessText(url, 'pid'));
    await until(() => backend.stats().children === 1 && !isRunning(pid));
    await stop();
  });

  test('leave nothing behind if the client hangs up or the child crashes', async () => {
    const { url, backend, stop } = await serve({ env: { STATELESS: '1' } });
    await statelessText(url, 'pid');
    const hangUp = new AbortController();
    const hanging = postStateless(url, statelessRequest(1, 'tools/call', { name: 'hang' }), {}, hangUp.signal).catch(
      () => 'gone',
    );
    await until(() => backend.stats().pending === 1);
    hangUp.abort();
    expect(await hanging).toBe('gone');
    expect(await reasonOf(await postStateless(url, statelessRequest(1, 'tools/call', { name: 'crash' })))).toBe(
      'child_exited',
    );
    await until(() => backend.stats().children === 0);
    expect(backend.stats()).toEqual({ sessions: 0, children: 0, pending: 0, restarts: 0 });
    await stop();
  });

  test('count towards the share of anonymous callers', async () => {
    const bridge = await startAuthenticatedBridge({ maxSessions: 8 }, { mode: 'optional' });
    const { url, backend } = bridge;
    const hang = () =>
      void postStateless(url, statelessRequest(1, 'tools/call', { name: 'hang' })).catch(() => undefined);
    hang();
    hang();
    await until(() => backend.stats().pending === 2);
    const refused = await postStateless(url, statelessRequest(2, 'ping'));
    expect([refused.status, await reasonOf(refused)]).toEqual([503, 'too_many_sessions_of_anonymous']);
    expect((await postStateless(url, statelessRequest(2, 'ping'), bridge.bearer({ sub: 'ada' }))).status).toBe(200);
    await bridge.stop();
  });

  test('share one child if anonymousRequests is "shared"', async () => {
    const { url, stop } = await serve({ env: { STATELESS: '1' }, anonymousRequests: 'shared' });
    expect(await statelessText(url, 'pid')).toBe(await statelessText(url, 'pid'));
    expect(await countReceived(url)).toBe(1);
    await stop();
  });

  test('are refused if anonymousRequests is "refuse": with the challenge of mcpAuth(), or with 403', async () => {
    const bridge = await startAuthenticatedBridge({ anonymousRequests: 'refuse' }, { mode: 'optional' });
    const challenged = await postStateless(bridge.url, statelessRequest(1, 'ping'));
    expect([challenged.status, challenged.headers.get('www-authenticate')]).toEqual([
      401,
      expect.stringMatching(/^Bearer resource_metadata=/),
    ]);
    expect((await postStateless(bridge.url, statelessRequest(1, 'ping'), bridge.bearer({ sub: 'ada' }))).status).toBe(
      200,
    );
    expect(bridge.backend.stats().children).toBe(1);
    await bridge.stop();
    const { url, stop } = await serve({ env: { STATELESS: '1' }, anonymousRequests: 'refuse' });
    const refused = await postStateless(url, statelessRequest(1, 'ping'));
    expect([refused.status, await refused.json()]).toMatchObject([
      403,
      { id: 1, error: { data: { reason: 'anonymous_refused' } } },
    ]);
    await stop();
  });
});

const externalAddress = Object.values(networkInterfaces())
  .flat()
  .find((address) => address?.family === 'IPv4' && !address.internal)?.address;

describe('the warning of a server that is open to other machines', () => {
  const warningsAt = async (address: string, mode?: string, warnWhenOpen?: boolean) => {
    const { lines, logger } = createRecordingLogger();
    const backend = mcpStdioBackend({ command: NODE, args: [SCRIPTED], logger, warnWhenOpen });
    const bridge = mode === undefined ? undefined : await startAuthenticatedBridge({}, { mode });
    const before = bridge?.server.listeners('request')[0];
    const app = express().use('/mcp', backend);
    const server = createServer((before as typeof app | undefined) ?? app);
    await new Promise<void>((resolve) => server.listen(0, address, resolve));
    const url = `http://${address}:${(server.address() as AddressInfo).port}/mcp`;
    for (let i = 0; i < 2; i++) await post(url, initialize());
    await backend.close();
    await bridge?.stop();
    server.closeAllConnections();
    server.close();
    return [...lines, ...(bridge?.lines ?? [])].filter((line) => line.startsWith('warn '));
  };

  test.runIf(externalAddress)('comes once, at the first request', async () => {
    const warnings = await warningsAt(externalAddress ?? '');
    expect(warnings).toEqual([expect.stringContaining(`a request arrived at ${externalAddress}`)]);
  });

  test.each<[string, string, string | undefined, boolean | undefined]>([
    ['on loopback', '127.0.0.1', undefined, undefined],
    ['behind mcpAuth() that lets anonymous callers pass', externalAddress ?? '127.0.0.1', 'optional', undefined],
    ['where warnWhenOpen is false', externalAddress ?? '127.0.0.1', undefined, false],
  ])('does not come %s', async (_where, address, mode, warnWhenOpen) => {
    expect(await warningsAt(address, mode, warnWhenOpen)).toEqual([]);
  });
});
