import { createServer, type IncomingMessage } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { traceIdOf, traceParentOf } from '../../src/telemetry/trace-context.js';
import { listen, originOf, stop } from '../support/loopback-server.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';
const GOOD = `00-${TRACE}-${PARENT}-01`;

const TRACEPARENTS: readonly [what: string, traceparent: string, isValid: boolean][] = [
  ['version 00', GOOD, true],
  ['not sampled', `00-${TRACE}-${PARENT}-00`, true],
  ['unknown flags', `00-${TRACE}-${PARENT}-ff`, true],
  ['a later version', `01-${TRACE}-${PARENT}-01`, true],
  ['a later version with more fields', `cc-${TRACE}-${PARENT}-01-what-the-future-brings`, true],
  ['a later version with something else behind it', `cc-${TRACE}-${PARENT}-01.what`, false],
  ['version 00 with more fields', `${GOOD}-what`, false],
  ['version 00 with a hyphen behind it', `${GOOD}-`, false],
  ['version ff', `ff-${TRACE}-${PARENT}-01`, false],
  ['a trace of zeros', `00-${'0'.repeat(32)}-${PARENT}-01`, false],
  ['a parent of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`, false],
  ['capitals in the trace', `00-${TRACE.toUpperCase()}-${PARENT}-01`, false],
  ['capitals in the version', `CC-${TRACE}-${PARENT}-01`, false],
  ['a short trace', `00-${TRACE.slice(1)}-${PARENT}-01`, false],
  ['a long parent', `00-${TRACE}-${PARENT}0-01`, false],
  ['a letter that is no digit', `00-${TRACE.slice(1)}g-${PARENT}-01`, false],
  ['flags of one digit', `00-${TRACE}-${PARENT}-1`, false],
  ['a space before it', ` ${GOOD}`, false],
  ['a line end behind it', `${GOOD}\n`, false],
  ['two of them', `${GOOD}, ${GOOD}`, false],
  ['nothing', '', false],
];

test.each(TRACEPARENTS)('traceparent with %s', (_what, traceparent, isValid) => {
  expect(traceIdOf({ traceparent })).toBe(isValid ? TRACE : undefined);
});

/** Sends a request with these headers, and returns it as it arrives. */
async function arrived(headers: readonly (readonly [string, string])[]): Promise<IncomingMessage> {
  const server = createServer();
  onTestFinished(() => stop(server));
  await listen(server);
  const request = new Promise<IncomingMessage>((resolve) => {
    server.once('request', (req, res) => {
      res.end();
      resolve(req);
    });
  });
  await (
    await fetch(originOf(server), { headers: headers.map(([name, value]): [string, string] => [name, value]) })
  ).text();
  return request;
}

const OTHER = `00-${'a'.repeat(32)}-${PARENT}-01`;
const NONE = { traceparent: undefined, tracestate: undefined, baggage: undefined };

const SOURCES: readonly [what: string, headers: Record<string, string>, meta: unknown, carrier: object][] = [
  [
    'headers',
    { traceparent: GOOD, tracestate: 'a=1', baggage: 'b=2' },
    undefined,
    { traceparent: GOOD, tracestate: 'a=1', baggage: 'b=2' },
  ],
  [
    '_meta',
    {},
    { traceparent: GOOD, tracestate: 'a=1', baggage: 'b=2' },
    { traceparent: GOOD, tracestate: 'a=1', baggage: 'b=2' },
  ],
  ['_meta, and not headers', { traceparent: OTHER, tracestate: 'a=1' }, { traceparent: GOOD }, { traceparent: GOOD }],
  ['headers, if _meta has something else', { traceparent: GOOD }, { traceparent: 7 }, { traceparent: GOOD }],
  ['headers, if the trace in _meta is invalid', { traceparent: GOOD }, { traceparent: 'x' }, { traceparent: GOOD }],
  ['nothing, if the trace is invalid', { traceparent: 'x', tracestate: 'a=1' }, undefined, {}],
  ['baggage, also without a trace', { baggage: 'b=2' }, undefined, { baggage: 'b=2' }],
  ['nothing of a _meta that is no object', {}, [GOOD], {}],
  ['nothing else', { 'x-trace': GOOD }, { 'trace-parent': GOOD }, {}],
];

test.each(SOURCES)('the trace of a request is taken from %s', async (_what, headers, _meta, carrier) => {
  expect(traceParentOf(await arrived(Object.entries(headers)), { _meta })).toEqual({ ...NONE, ...carrier });
});

test('a request with two traceparent headers has no trace', async () => {
  const twice = [
    ['traceparent', GOOD],
    ['traceparent', OTHER],
  ] as const;
  expect(traceParentOf(await arrived(twice), {})).toEqual(NONE);
});
