import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createTestIssuer } from '../../src/testing/index.js';
import { serveRemote } from '../support/http-backend.js';
import { call, type Headers, initialize, open, post } from '../support/mcp-requests.js';
import { startRecordingTarget } from '../support/recording-target.js';
import { beginEvents, replyJson, serveTarget } from '../support/remote-target.js';
import { until } from '../support/until.js';

const ADA = { authorization: 'Bearer ada' };
const SPOKEN = '2025-06-18';
const INITIALIZED = { jsonrpc: '2.0', method: 'notifications/initialized' };

/** A remote server of one revision. It refuses requests of another one, and takes those without the header for some of 2025-03-26. */
async function startStrictTarget(accepts: readonly (string | undefined)[] = [SPOKEN]) {
  const open = new Set<string>();
  const target = await startRecordingTarget(async ({ method: verb, headers, body }, res) => {
    const { id, method } = body === '' ? { id: undefined, method: undefined } : JSON.parse(body);
    if (method === 'initialize') {
      const session = `session-${target.arrived.length}`;
      open.add(session);
      await wait(50);
      res.setHeader('mcp-session-id', session).writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
      await wait(50);
      const result = { protocolVersion: SPOKEN, capabilities: { tools: {} }, serverInfo: { name: 'x', version: '1' } };
      res.end(JSON.stringify({ jsonrpc: '2.0', id, result }));
    } else if (!accepts.includes(headers['mcp-protocol-version']?.toString())) res.writeHead(400).end();
    else if (verb === 'DELETE') res.writeHead(open.delete(`${headers['mcp-session-id']}`) ? 200 : 404).end();
    else if (verb === 'GET') beginEvents(res);
    else if (id === undefined) res.writeHead(202).end();
    else replyJson(res, id, {});
  });
  const endings = () =>
    target.arrived.flatMap(({ method, headers }) => (method === 'DELETE' ? [headers['mcp-protocol-version']] : []));
  return { url: target.url, open, endings, arrived: target.arrived };
}

describe('mcpBackend() ends a session under its revision', () => {
  type Served = Awaited<ReturnType<typeof serveTarget>>;
  const WAYS: readonly [how: string, options: object, end: (served: Served, session: Headers) => Promise<unknown>][] = [
    ['when its client does', {}, ({ url }, headers) => fetch(url, { method: 'DELETE', headers })],
    ['when it closes', {}, ({ backend }) => backend.close()],
    [
      'when it makes room',
      { maxSessionsPerUser: 1 },
      ({ url }) => post(url, INITIALIZED, ADA).then(() => open(url, ADA)),
    ],
  ];
  test.each(WAYS)('%s', async (_how, options, end) => {
    const target = await startStrictTarget();
    const served = await serveTarget(target.url, {}, options);
    // The client proposes a newer revision.
    const session = await open(served.url, ADA, '2025-11-25');
    const [id] = target.open;
    await end(served, session);
    await until(() => !target.open.has(`${id}`));
    expect(target.endings()).toEqual([SPOKEN]);
  });

  test('at each of several targets', async () => {
    const target = await startStrictTarget();
    const targets = { one: { url: target.url }, two: { url: target.url } };
    const { url } = await serveTarget(target.url, {}, { targets });
    const session = await open(url, ADA, '2025-11-25');
    expect(target.open.size).toBe(2);
    await fetch(url, { method: 'DELETE', headers: session });
    await until(() => target.open.size === 0);
    expect(target.endings()).toEqual([SPOKEN, SPOKEN]);
  });

  test('that it has opened for requests without one', async () => {
    const target = await startStrictTarget();
    const { url, backend } = await serveTarget(target.url, {}, { sessions: false });
    expect((await post(url, call(1, 'x'), ADA)).status).toBe(200);
    await backend.close();
    expect([target.open.size, target.endings()]).toEqual([0, [SPOKEN]]);
  });

  test('that the server is about to open', async () => {
    const target = await startStrictTarget();
    const { url, backend } = await serveTarget(target.url);
    const opening = post(url, initialize('2025-11-25'), ADA);
    await until(() => target.open.size === 1);
    await backend.close();
    expect([target.open.size, target.endings()]).toEqual([0, [SPOKEN]]);
    await opening;
  });
});

describe('mcpHttpBackend() ends a session under its revision', () => {
  const secret = 'a secret of at least thirty-two characters';

  test.each([
    ['that its client proposed', SPOKEN, undefined],
    ['that its client named then', '2025-11-25', SPOKEN],
  ])('%s, when it closes', async (_which, proposed, named) => {
    const target = await startStrictTarget();
    const { url, backend, bearer } = await serveRemote(target.url);
    const session = await open(url, bearer('ada'), proposed);
    if (named !== undefined) await post(url, INITIALIZED, { ...session, 'mcp-protocol-version': named });
    await backend.close();
    expect([target.open.size, target.endings()]).toEqual([0, [SPOKEN]]);
  });

  test('when no place is left for it', async () => {
    const target = await startStrictTarget();
    const { url, bearer } = await serveRemote(target.url, { maxSessionsPerUser: 1 });
    const session = await open(url, bearer('ada'), SPOKEN);
    const stream = await fetch(url, { headers: { ...session, 'mcp-protocol-version': SPOKEN } });
    expect((await post(url, initialize(SPOKEN), bearer('ada'))).status).toBe(429);
    await until(() => target.open.size === 1);
    expect(target.endings()).toEqual([SPOKEN]);
    await stream.body?.cancel();
  });

  test('when its client has left', async () => {
    const target = await startStrictTarget();
    const { url, bearer } = await serveRemote(target.url);
    const leaving = new AbortController();
    const opening = post(url, initialize(SPOKEN), bearer('ada'), leaving.signal);
    await until(() => target.arrived.length === 1);
    leaving.abort();
    await opening.catch(() => undefined);
    await until(() => target.endings().length > 0);
    await until(() => target.open.size === 0);
  });

  test('when it makes room at a replica that did not open it', async () => {
    const target = await startStrictTarget();
    const surroundings = { issuer: createTestIssuer(), policy: { secret } };
    const replica = () => serveRemote(target.url, { maxSessionsPerUser: 1 }, surroundings);
    const [one, other] = [await replica(), await replica()];
    const sessions = [];
    for (let i = 0; i < 3; i++) sessions.push(await open(one.url, one.bearer('ada'), SPOKEN));
    await until(() => target.endings().length === 1);
    for (const session of sessions.slice(1)) {
      await post(other.url, call(1, 'x'), { ...session, 'mcp-protocol-version': SPOKEN });
    }
    await open(other.url, other.bearer('ada'), SPOKEN);
    await until(() => target.endings().length === 2);
    await until(() => target.open.size === 2);
    expect(target.endings()).toEqual([SPOKEN, SPOKEN]);
  });

  test('and again without one if the server refuses that', async () => {
    const target = await startStrictTarget([SPOKEN, undefined]);
    const { url, backend, bearer } = await serveRemote(target.url);
    const session = await open(url, bearer('ada'), SPOKEN);
    await post(url, INITIALIZED, { ...session, 'mcp-protocol-version': '2999-01-01' });
    await backend.close();
    expect([target.open.size, target.endings()]).toEqual([0, ['2999-01-01', undefined]]);
  });

  test('or that of the application', async () => {
    const target = await startStrictTarget();
    const headers = { 'mcp-protocol-version': SPOKEN };
    const { url, backend, bearer } = await serveRemote(target.url, { headers });
    await open(url, bearer('ada'), '2025-11-25');
    await backend.close();
    expect([target.open.size, target.endings()]).toEqual([0, [SPOKEN]]);
  });
});
