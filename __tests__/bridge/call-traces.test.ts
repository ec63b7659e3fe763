import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CallRecord } from '../../src/telemetry/call-record.js';
import { type CallTracer, callTracer, type TraceCarrier } from '../../src/telemetry/call-tracer.js';
import { call, callText, open, post, statelessText } from '../support/mcp-requests.js';
import { ADA } from '../support/recorded-calls.js';
import { type Message, replyJson, startSessionTarget } from '../support/remote-target.js';
import { serveTargets } from '../support/several-backend.js';
import { fixture, NODE, SCRIPTED, serve } from '../support/stdio-bridge.js';

const CLIENT = `00-${'c'.repeat(32)}-${'d'.repeat(16)}-01`;
const WITH_TRACE = { traceparent: CLIENT, tracestate: 'client=1', baggage: 'client=2' };

/** One span of a call to a target. `ends` has the error types with which it was ended. */
interface Sent {
  readonly method: string;
  readonly target: string | undefined;
  readonly traceparent: string;
  readonly ends: (string | undefined)[];
}

let sent: Sent[] = [];
let parents: TraceCarrier[] = [];
let records: CallRecord[] = [];

const tracer: CallTracer = {
  begin({ method }, parent) {
    parents.push(parent);
    return {
      traceId: 'e'.repeat(32),
      toTarget(target) {
        const traceparent = `00-${'e'.repeat(32)}-${String(sent.length + 1).padStart(16, '0')}-01`;
        const ends: (string | undefined)[] = [];
        sent.push({ method, target, traceparent, ends });
        return { carrier: { traceparent, baggage: 'ours=3' }, end: (errorType) => void ends.push(errorType) };
      },
      run: (work) => work(),
      end: (record) => void records.push(record),
    };
  },
};

beforeEach(() => {
  [sent, parents, records] = [[], [], []];
  callTracer.current = tracer;
});
afterEach(() => {
  callTracer.current = undefined;
});

const spanOf = (target: string | undefined, method = 'tools/call') =>
  sent.find((span) => span.target === target && span.method === method);
const plain = { command: NODE, args: [fixture('plain-target.mjs')] };

test('a program gets the trace of the span, and the rest of _meta as the client wrote it', async () => {
  const served = await serve();
  const session = await open(served.url, ADA);
  const meta = JSON.parse(
    await callText(served.url, session, 'meta', {}, { ...WITH_TRACE, mine: 1, progressToken: 7 }),
  );
  expect(meta).toEqual({ mine: 1, progressToken: 7, traceparent: spanOf(undefined)?.traceparent, baggage: 'ours=3' });
  expect(parents.at(-1)).toEqual(WITH_TRACE);
  expect(records.at(-1)).toMatchObject({ method: 'tools/call', traceId: 'e'.repeat(32) });
  await served.stop();
});

test('a program gets the trace of the span in a message without _meta, and the parent comes from headers', async () => {
  const served = await serve();
  const session = await open(served.url, ADA);
  const meta = JSON.parse(await callText(served.url, { ...session, ...WITH_TRACE }, 'meta'));
  expect(meta).toEqual({ traceparent: spanOf(undefined)?.traceparent, baggage: 'ours=3' });
  expect(parents.at(-1)).toEqual(WITH_TRACE);
  await served.stop();
});

test.each([
  ['of 2026-07-28', { env: { STATELESS: '1' } }],
  ['with requestMeta', { env: { STATELESS: '1' }, requestMeta: () => ({ user: 'ada' }) }],
])('so does a program in a call %s', async (_what, options) => {
  const served = await serve(options);
  const meta = JSON.parse(await statelessText(served.url, 'meta', {}, ADA, { ...WITH_TRACE, progressToken: 'a' }));
  expect(meta).toMatchObject({ traceparent: spanOf(undefined)?.traceparent, baggage: 'ours=3' });
  expect(meta).not.toHaveProperty('tracestate');
  expect(meta.user).toBe('requestMeta' in options ? 'ada' : undefined);
  await served.stop();
});

test('without a tracer, the trace of the client passes unchanged', async () => {
  callTracer.current = undefined;
  const served = await serve({ onCall: () => undefined });
  const meta = JSON.parse(await callText(served.url, await open(served.url, ADA), 'meta', {}, WITH_TRACE));
  expect(meta).toEqual(WITH_TRACE);
  await served.stop();
});

describe('of several targets', () => {
  const answer = ({ id, params }: Message, res: Parameters<typeof replyJson>[0]) => replyJson(res, id, { params });
  const setUp = async () => {
    const remote = await startSessionTarget(answer);
    const { url } = await serveTargets({ targets: { one: plain, two: plain, remote: { url: remote.url } } });
    return { url, remote, session: await open(url, ADA) };
  };

  test('each gets the trace of its own span when all are opened, and a call only that of its target', async () => {
    const { url, remote, session } = await setUp();
    expect(sent.map(({ target, method }) => [target, method])).toEqual([
      ['one', 'initialize'],
      ['two', 'initialize'],
      ['remote', 'initialize'],
    ]);
    sent = [];
    const meta = JSON.parse(await callText(url, session, 'two_meta', {}, WITH_TRACE));
    expect(sent).toMatchObject([{ target: 'two', ends: [undefined, undefined] }]);
    expect(meta).toMatchObject({ traceparent: sent[0]?.traceparent, baggage: 'ours=3' });
    expect(meta).not.toHaveProperty('tracestate');
    expect(remote.arrived.filter(({ body }) => body.includes('two_meta'))).toEqual([]);
  });

  test('a remote one gets it in headers and in _meta', async () => {
    const { url, remote, session } = await setUp();
    await (await post(url, call(1, 'remote_x', {}, WITH_TRACE), { ...session, ...WITH_TRACE })).text();
    const found = remote.arrived.find(({ body }) => body.includes('tools/call'));
    const { traceparent } = spanOf('remote') ?? {};
    expect(JSON.parse(found?.body ?? '').params._meta).toEqual({ traceparent, baggage: 'ours=3' });
    expect(found?.headers).toMatchObject({ traceparent, baggage: 'ours=3' });
    expect(found?.headers).not.toHaveProperty('tracestate');
  });

  test('each gets that of its own span with a list', async () => {
    const { url, session } = await setUp();
    sent = [];
    await (await post(url, { jsonrpc: '2.0', id: 1, method: 'tools/list' }, session)).text();
    expect(new Set(sent.map(({ target }) => target))).toEqual(new Set(['one', 'two']));
    expect(new Set(sent.map(({ traceparent }) => traceparent)).size).toBe(sent.length);
    expect(records.at(-1)).toMatchObject({ method: 'tools/list', target: undefined });
  });

  test('the span of a target ends with the fault of that target', async () => {
    const { url, session } = await setUp();
    sent = [];
    await (await post(url, call(1, 'one_crash'), session)).text();
    expect(sent[0]).toMatchObject({ target: 'one', ends: ['child_exited', 'child_exited'] });
  });
});

test('a single remote target gets the trace in headers and in _meta', async () => {
  const remote = await startSessionTarget(({ id, params }, res) => replyJson(res, id, { params }));
  const { url } = await serveTargets({ targets: { only: { url: remote.url } } });
  const session = await open(url, ADA);
  await (await post(url, call(1, 'x'), session)).text();
  const found = remote.arrived.find(({ body }) => body.includes('tools/call'));
  expect(found?.headers.traceparent).toBe(spanOf('only')?.traceparent);
  expect(JSON.parse(found?.body ?? '').params._meta.traceparent).toBe(spanOf('only')?.traceparent);
});

test('a call that is refused has no span of a target', async () => {
  const served = await serve({ command: NODE, args: [SCRIPTED] });
  await (await post(served.url, call(1, 'echo'), ADA)).text();
  expect(sent).toEqual([]);
  expect(records).toMatchObject([{ outcome: 'protocol_error', code: 'missing_session' }]);
  await served.stop();
});
