import { expect, test } from 'vitest';
import { call, type Headers, initialize, open, post, postStateless, statelessCall } from '../support/mcp-requests.js';
import { ADA, SAYS_ERROR, start, WAYS, type Way } from '../support/recorded-calls.js';
import { until } from '../support/until.js';

test('the record of initialize names the session that it opens', async () => {
  const { url, calls } = await start();
  const headers = await open(url, ADA);
  const record = await calls.of('initialize');
  expect(record).toMatchObject({ outcome: 'answered', session: headers['mcp-session-id'], name: undefined });
});

test('the record of initialize that fails names no session', async () => {
  const { url, calls } = await start({ env: { FAILS: '1' } });
  await (await post(url, initialize(), ADA)).text();
  expect(await calls.of('initialize')).toMatchObject({ outcome: 'target_failed', session: undefined });
});

test('initialize that the bridge answers itself is recorded', async () => {
  const { url, calls } = await start({ sessions: false });
  const text = await (await post(url, initialize(), ADA)).text();
  const bytesOut = Buffer.byteLength(text);
  expect(await calls.of('initialize')).toMatchObject({ outcome: 'answered', bytesOut, session: undefined });
});

const REFUSED: readonly [string, Headers, object][] = [
  ['an unknown session', { 'mcp-session-id': 'x' }, { outcome: 'protocol_error', code: 'unknown_session' }],
  ['no session', {}, { outcome: 'protocol_error', code: 'missing_session' }],
  ['no usable Accept', { accept: 'text/html' }, { outcome: 'protocol_error', code: 'not_acceptable' }],
  ['an id in flight', {}, { outcome: 'protocol_error', code: 'id_in_flight' }],
];

test.each(REFUSED)('a request with %s is recorded as refused', async (_what, more, record) => {
  const { url, calls, backend } = await start();
  const code = (record as { code: string }).code;
  const needs = code === 'not_acceptable' || code === 'id_in_flight';
  const headers = needs ? await open(url, ADA) : ADA;
  const hanging = code === 'id_in_flight' ? post(url, call(7, 'hang'), headers).catch(() => undefined) : undefined;
  if (hanging) await until(() => backend.stats().pending === 1);
  const answer = await (await post(url, call(7, 'echo'), { ...headers, ...more })).text();
  expect(await calls.of('tools/call', 'echo')).toMatchObject({ ...record, bytesOut: Buffer.byteLength(answer) });
  await backend.close();
  await hanging;
});

test('an anonymous caller who is refused is denied', async () => {
  const { url, calls } = await start({ env: { STATELESS: '1' }, anonymousRequests: 'refuse' });
  await (await postStateless(url, statelessCall(1, 'echo'))).text();
  expect(await calls.of('tools/call', 'echo')).toMatchObject({
    outcome: 'denied',
    code: 'anonymous_refused',
    credential: 'anonymous',
    user: undefined,
  });
});

test('each request of a batch is recorded, and no notification or response', async () => {
  const { url, calls } = await start();
  const headers = await open(url, ADA, '2025-03-26');
  const batch = [
    call('a', 'echo'),
    { jsonrpc: '2.0', method: 'notifications/initialized' },
    { jsonrpc: '2.0', id: 'x', result: {} },
    call('b', 'print', { line: SAYS_ERROR }),
    { jsonrpc: '2.0', id: 'c', method: 'no/such/method' },
  ];
  const answers = (await (await post(url, batch, headers)).json()) as unknown[];
  expect(answers).toHaveLength(3);
  const records = calls.records.filter(({ method }) => method !== 'initialize');
  expect(records.map(({ method, name, outcome, bytesIn }) => [method, name, outcome, bytesIn]).sort()).toEqual([
    ['no/such/method', undefined, 'protocol_error', JSON.stringify(batch[4]).length],
    ['tools/call', 'echo', 'answered', JSON.stringify(batch[0]).length],
    ['tools/call', 'print', 'tool_error', JSON.stringify(batch[3]).length],
  ]);
});

test('two calls of a batch with one id are both recorded', async () => {
  const { url, calls } = await start({ sessions: false });
  await (await post(url, [call(1, 'echo'), call(1, 'pid')], { ...ADA, 'mcp-protocol-version': '2025-03-26' })).text();
  const records = calls.records.map(({ name, outcome }) => [name, outcome]).sort();
  expect(records).toEqual([
    ['echo', 'answered'],
    ['pid', 'answered'],
  ]);
});

test('a client that leaves its session does not end the record: the answer does', async () => {
  const { url, calls } = await start();
  const headers = await open(url, ADA);
  const leave = new AbortController();
  const left = post(url, call(1, 'progress', { steps: 4, delay: 100 }), headers, leave.signal);
  await new Promise((resolve) => setTimeout(resolve, 50));
  leave.abort();
  await left.catch(() => undefined);
  expect(calls.records.map(({ method }) => method)).toEqual(['initialize']);
  const record = await calls.of('tools/call', 'progress');
  expect(record.outcome).toBe('answered');
  expect(record.durationMs).toBeGreaterThan(350);
});

test('a client without a session that leaves has cancelled its call', async () => {
  const { url, calls, backend } = await start({ env: { STATELESS: '1' } });
  const leave = new AbortController();
  const left = postStateless(url, statelessCall(1, 'hang'), ADA, leave.signal).catch(() => undefined);
  await until(() => backend.stats().pending === 1);
  leave.abort();
  await left;
  expect(await calls.of('tools/call', 'hang')).toMatchObject({ outcome: 'cancelled', code: 'cancelled', bytesOut: 0 });
});

test.each(['with a session', 'without the session that its revision has'])('a client %s can cancel', async (name) => {
  const way = WAYS[name] as Way;
  const { url, calls, backend } = await start(way.options);
  const headers = await way.begin(url);
  const hanging = post(url, call('mine', 'hang'), headers);
  await until(() => backend.stats().pending === 1);
  await post(url, { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'mine' } }, headers);
  await (await hanging).text();
  expect(await calls.of('tools/call', 'hang')).toMatchObject({ outcome: 'cancelled', code: 'cancelled' });
});

test('the end of a session ends its calls', async () => {
  const { url, calls, backend } = await start();
  const headers = await open(url, ADA);
  const hanging = post(url, call(1, 'hang'), headers);
  await until(() => backend.stats().pending === 1);
  await fetch(url, { method: 'DELETE', headers });
  await (await hanging).text();
  expect(await calls.of('tools/call', 'hang')).toMatchObject({ outcome: 'cancelled', code: 'session_ended' });
});

const NOT_STARTED: readonly [string, string, object][] = [
  ['with a session', 'initialize', { outcome: 'target_failed', code: 'child_exited' }],
  ['of 2026-07-28', 'tools/call', { outcome: 'protocol_error', code: 'legacy_server' }],
  ['without the session that its revision has', 'tools/call', { outcome: 'target_failed', code: 'child_exited' }],
];

test.each(NOT_STARTED)(
  'where the program does not start, the first call %s (%s) fails',
  async (name, method, record) => {
    const { options, call: send } = WAYS[name] as Way;
    const { url, calls } = await start({ ...options, env: { ...options.env, FAILS: '1' } });
    await (method === 'initialize' ? post(url, initialize(), ADA) : send(url, ADA, 'echo'));
    expect(await calls.of(method)).toMatchObject(record);
    expect(calls.records).toHaveLength(1);
  },
);
