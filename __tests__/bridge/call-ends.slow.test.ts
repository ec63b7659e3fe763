import { describe, expect, onTestFinished, test } from 'vitest';
import { eventsOf } from '../support/mcp-answers.js';
import { call, open, post, postStateless, statelessCall } from '../support/mcp-requests.js';
import { serveProtected } from '../support/protected-backend.js';
import { createRecordedCalls, start, WAYS, type Way } from '../support/recorded-calls.js';
import { NODE, serve } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

const JSON_ONLY = { accept: 'application/json' };

describe.each(Object.entries(WAYS))('a call %s', (_name, way) => {
  test('that is not answered in time is timed out', async () => {
    const { url, calls } = await start({ ...way.options, requestTimeoutSeconds: 1 });
    await (await way.call(url, await way.begin(url), 'hang')).text();
    const record = await calls.of('tools/call');
    expect(record).toMatchObject({ outcome: 'timed_out', code: 'request_timed_out' });
    expect(record.durationMs).toBeGreaterThanOrEqual(1_000);
  });
});

test.each(['with a session', 'without the session that its revision has'])(
  'the first call %s of a program that does not start in time is timed out',
  async (name) => {
    const way = WAYS[name] as Way;
    const { url, calls } = await start({ ...way.options, env: { MUTE: '1' }, startTimeoutSeconds: 1 });
    const headers = await way.begin(url).catch(() => undefined);
    if (headers !== undefined) await (await way.call(url, headers, 'echo')).text();
    await until(() => calls.records.length > 0);
    expect(calls.records[0]).toMatchObject({ outcome: 'timed_out', code: 'start_timed_out' });
  },
);

test.each([
  ['with a session', {}],
  ['of 2026-07-28', { STATELESS: '1' }],
])('a call %s whose token is withdrawn is denied', async (_what, env) => {
  const calls = createRecordedCalls();
  const served = await serveProtected({ env, onCall: calls.onCall });
  const ada = { ...served.bearer({ sub: 'ada' }), ...JSON_ONLY };
  const isStateless = 'STATELESS' in env;
  const hanging = isStateless
    ? postStateless(served.url, statelessCall(1, 'hang'), ada)
    : post(served.url, call(1, 'hang'), await open(served.url, ada, '2025-11-25'));
  await until(() => served.backend.stats().pending === 1);
  served.auth.revoke(ada.authorization.slice('Bearer '.length));
  expect((await hanging).status).toBe(401);
  expect(await calls.of('tools/call')).toMatchObject({
    outcome: 'denied',
    code: 'token_revoked',
    credential: 'jwt',
    user: 'ada',
    target: undefined,
  });
});

test('a client that leaves and resumes gets its answer, and the record is that of the answer', async () => {
  const calls = createRecordedCalls();
  const served = await serve({ onCall: calls.onCall });
  onTestFinished(() => served.stop());
  const session = await open(served.url, { authorization: 'Bearer ada' }, '2025-11-25');
  const leave = new AbortController();
  const meta = { progressToken: 1 };
  const response = await post(served.url, call(1, 'progress', { steps: 6, delay: 250 }, meta), session, leave.signal);
  const events = eventsOf(response);
  const { value: first } = await events.next();
  leave.abort();
  expect(calls.records.map(({ method }) => method)).toEqual(['initialize']);
  const resumed = await fetch(served.url, {
    headers: { ...session, accept: 'text/event-stream', 'last-event-id': first?.id ?? '' },
  });
  const rest: string[] = [];
  for await (const { data } of eventsOf(resumed)) rest.push(data);
  const answer = rest.at(-1) ?? '';
  expect(answer).toContain('"result"');
  const record = await calls.of('tools/call');
  expect(record).toMatchObject({ outcome: 'answered', bytesOut: Buffer.byteLength(answer) });
  expect(record.durationMs).toBeGreaterThan(1_400);
  expect(calls.records).toHaveLength(2);
});

test('a program that is killed fails every call in flight', async () => {
  const calls = createRecordedCalls();
  const served = await serve({ onCall: calls.onCall, command: NODE });
  onTestFinished(() => served.stop());
  const session = await open(served.url, { authorization: 'Bearer ada' });
  const waiting = ['a', 'b'].map((id) => post(served.url, call(id, 'hang'), session));
  await until(() => served.backend.stats().pending === 2);
  await post(served.url, call('c', 'crash'), session);
  await Promise.all(waiting);
  const failed = calls.records.filter(({ method }) => method === 'tools/call');
  expect(failed.map(({ outcome, code }) => [outcome, code])).toEqual(
    Array.from({ length: 3 }, () => ['target_failed', 'child_exited']),
  );
});
