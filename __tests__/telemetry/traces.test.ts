import { describe, expect, onTestFinished, test } from 'vitest';
import { mcpHttpBackend } from '../../src/index.js';
import type { TraceCarrier } from '../../src/telemetry/call-tracer.js';
import { call, type Headers, open, post, postStateless, statelessCall } from '../support/mcp-requests.js';
import type { Arrived } from '../support/recording-target.js';
import { replyJson, startSessionTarget } from '../support/remote-target.js';
import { serveTargets } from '../support/several-backend.js';
import { NODE, SCRIPTED, serve, serveBackend } from '../support/stdio-bridge.js';
import { chainOf, startInMemoryTelemetry } from '../support/telemetry.js';

/** A gateway, and the carriers that its target got. */
interface Gateway {
  readonly url: string;
  readonly tool: string;
  /** Returns the trace of the last call, as the target got it. */
  got(answer: string): readonly TraceCarrier[];
}

const ofMeta = (answer: string): readonly TraceCarrier[] => {
  const { result } = JSON.parse(answer) as { result: { content: [{ text: string }] } };
  return [JSON.parse(result.content[0].text)];
};

const SCRIPT = { command: NODE, args: [SCRIPTED], env: { STATELESS: '1' } };

const GATEWAYS: Readonly<Record<string, () => Promise<Gateway>>> = {
  async 'a stdio server'() {
    const served = await serve({ env: { STATELESS: '1' } });
    onTestFinished(() => served.stop());
    return { url: served.url, tool: 'meta', got: ofMeta };
  },
  async 'a remote server'() {
    const target = await startRemote();
    const served = await serveBackend(mcpHttpBackend({ url: target.url, warnWhenOpen: false }));
    onTestFinished(() => served.stop());
    return { url: served.url, tool: 'echo', got: () => carriersOf(target.arrived) };
  },
  async 'a stdio server among several'() {
    const { url } = await serveTargets({ targets: { one: SCRIPT, two: SCRIPT } });
    return { url, tool: 'two_meta', got: ofMeta };
  },
  async 'a remote server among several'() {
    const target = await startRemote();
    const { url } = await serveTargets({ targets: { one: SCRIPT, far: { url: target.url } } });
    return { url, tool: 'far_echo', got: () => carriersOf(target.arrived) };
  },
};

/** A remote server of every revision that repeats its arguments. */
function startRemote() {
  const discovered = { supportedVersions: ['2026-07-28'], capabilities: { tools: {} } };
  return startSessionTarget(({ id, method, params }, res) =>
    replyJson(
      res,
      id,
      method === 'server/discover' ? discovered : { content: [], structuredContent: params.arguments },
    ),
  );
}

/** The trace in the headers of the call that arrived, and the one in `_meta` of its message if there is one. */
function carriersOf(arrived: readonly Arrived[]): readonly TraceCarrier[] {
  const { headers, body } = arrived.findLast((each) => each.body.includes('tools/call')) as Arrived;
  const { params } = JSON.parse(body) as { params: { _meta?: TraceCarrier } };
  return params._meta?.traceparent === undefined ? [headers as TraceCarrier] : [headers as TraceCarrier, params._meta];
}

const FURTHER = { tracestate: 'vendor=1', baggage: 'tenant=a,plan=b%20c' };

describe.each(Object.entries(GATEWAYS))('a call to %s', (_what, start) => {
  const cases = [
    ['in headers', 'a session', 'headers', false],
    ['in _meta', 'a session', 'meta', false],
    ['in headers', 'no session (2026-07-28)', 'headers', true],
    ['in _meta', 'no session (2026-07-28)', 'meta', true],
  ] as const;
  test.each(cases)('goes on with the trace that its client gives %s, with %s', async (_in, _with, place, stateless) => {
    const { url, tool, got } = await start();
    const session: Headers = stateless ? {} : await open(url);
    const telemetry = startInMemoryTelemetry();
    const client = telemetry.client();
    const carrier = { ...client.carrier, ...FURTHER };
    const [headers, meta] = place === 'headers' ? [carrier, {}] : [{}, carrier];
    const answer = stateless
      ? await postStateless(url, statelessCall(1, tool, {}, meta), { ...session, ...headers })
      : await post(url, call(1, tool, {}, meta), { ...session, ...headers });
    const carriers = got(await answer.text());
    client.span.end();
    for (const each of carriers) {
      expect(each).toMatchObject(FURTHER);
      telemetry.target(each);
    }
    const spans = await telemetry.spans(3 + carriers.length);
    // The name of a tool is there if the server has listed it: another test may have asked for the list.
    for (const _each of carriers)
      expect(chainOf(spans, 'target').replaceAll(` ${tool} (`, ' (')).toBe(
        'client (CLIENT) > tools/call (SERVER) > tools/call (CLIENT) > target (SERVER)',
      );
    expect(new Set(spans.map((span) => span.spanContext().traceId)).size).toBe(1);
    expect(new Set(carriers.map(({ traceparent }) => traceparent)).size).toBe(1);
  });
});
