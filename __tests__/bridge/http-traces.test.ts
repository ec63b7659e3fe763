import { expect, onTestFinished, test } from 'vitest';
import { type CallStart, callTracer, type TraceCarrier } from '../../src/telemetry/call-tracer.js';
import { serveRemote } from '../support/http-backend.js';
import { call, post } from '../support/mcp-requests.js';
import { json, result } from '../support/observed-app.js';
import { startRecordingTarget } from '../support/recording-target.js';

const trace = (digit: string) => `00-${digit.repeat(32)}-${digit.repeat(16)}-01`;
const OURS: TraceCarrier = { traceparent: trace('1'), tracestate: 'ours=1', baggage: 'a=b' };
const CLIENTS = { traceparent: trace('2'), tracestate: 'client=1', baggage: 'secret=1' };

/** Makes spans with this carrier until the test ends. */
function makeSpans(carrier: TraceCarrier) {
  const begun: [CallStart, TraceCarrier][] = [];
  const ended: unknown[] = [];
  callTracer.current = {
    begin(start, parent) {
      begun.push([start, parent]);
      return {
        traceId: '1'.repeat(32),
        toTarget: () => ({ carrier, end: (error) => void ended.push(error) }),
        run: (work) => work(),
        end: (record) => void ended.push(record.outcome),
      };
    },
  };
  onTestFinished(() => {
    callTracer.current = undefined;
  });
  return { begun, ended };
}

test.each<[string, object, TraceCarrier, object | undefined]>([
  ['in the headers, in place of the client’s', {}, OURS, undefined],
  ['in the headers alone, if the client names none', { traceparent: undefined }, OURS, undefined],
  ['also in _meta, if the client wrote its own there', { meta: { ...CLIENTS, other: 1 } }, OURS, { ...OURS, other: 1 }],
  ['without the client’s other members', {}, { traceparent: trace('3') }, undefined],
])('the trace of a span goes to the remote server: %s', async (_name, given, carrier, meta) => {
  const { ended } = makeSpans(carrier);
  const { meta: sent, ...headers } = { ...CLIENTS, ...given } as Record<string, unknown>;
  const target = await startRecordingTarget((_arrived, res) => json(result())({} as never, res));
  const remote = await serveRemote(target.url, { requestHeaders: ['baggage'] });
  const message = call(1, 'echo');
  const params = { ...message.params, ...(sent === undefined ? {} : { _meta: sent }) };
  const all = { ...headers, ...remote.bearer('ada') } as Record<string, string>;
  for (const name of Object.keys(all)) if (all[name] === undefined) delete all[name];
  await (await post(remote.url, { ...message, params }, all)).text();
  const [arrived] = target.arrived;
  const { traceparent, tracestate, baggage } = arrived?.headers ?? {};
  expect({ traceparent, tracestate, baggage }).toEqual({ tracestate: undefined, baggage: undefined, ...carrier });
  expect(JSON.parse(arrived?.body ?? '').params._meta).toEqual(meta);
  expect(ended).toEqual([undefined, 'answered']);
});

test('without spans, trace headers and messages pass as the client sent them', async () => {
  const target = await startRecordingTarget((_arrived, res) => json(result())({} as never, res));
  const remote = await serveRemote(target.url, { onCall: () => undefined });
  const message = { ...call(1, 'echo'), params: { name: 'echo', _meta: CLIENTS } };
  await (await post(remote.url, message, { ...CLIENTS, ...remote.bearer('ada') })).text();
  expect(target.arrived[0]?.headers).toMatchObject({ traceparent: CLIENTS.traceparent, tracestate: 'client=1' });
  expect(target.arrived[0]?.headers.baggage).toBeUndefined();
  expect(JSON.parse(target.arrived[0]?.body ?? '')).toEqual(message);
});

test('the parent of a span is the trace of the client', async () => {
  const { begun } = makeSpans(OURS);
  const target = await startRecordingTarget((_arrived, res) => json(result())({} as never, res));
  const remote = await serveRemote(target.url);
  await (await post(remote.url, call(1, 'echo'), { ...CLIENTS, ...remote.bearer('ada') })).text();
  expect(begun).toMatchObject([[{ method: 'tools/call', name: 'echo' }, CLIENTS]]);
});
