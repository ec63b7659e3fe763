import { describe, expect, onTestFinished, test } from 'vitest';
import type { McpStdioBackendOptions } from '../../src/index.js';
import { SAYS_ERROR, start, WAYS } from '../support/recorded-calls.js';
import { serve } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

/** Milliseconds by which the clocks of a virtual machine may differ within a second. */
const CLOCK_MS = 20;

interface Row {
  readonly options?: Partial<McpStdioBackendOptions>;
  readonly tool: string;
  readonly args?: object;
  readonly record: object;
}

const OUTCOMES: Readonly<Record<string, Row>> = {
  'answered with a result': { tool: 'echo', args: { a: 1 }, record: { outcome: 'answered', code: undefined } },
  'answered with a result that says isError': {
    tool: 'print',
    args: { line: SAYS_ERROR },
    record: { outcome: 'tool_error', code: undefined },
  },
  'answered with an error': {
    tool: 'print',
    args: { line: '{"jsonrpc":"2.0","id":ID,"error":{"code":-32602,"message":"no"}}\n' },
    record: { outcome: 'protocol_error', code: -32602 },
  },
  'answered with an error that claims to be ours': {
    tool: 'print',
    args: {
      line: '{"jsonrpc":"2.0","id":ID,"error":{"code":-32603,"message":"m","data":{"reason":"child_exited"}}}\n',
    },
    record: { outcome: 'protocol_error', code: -32603 },
  },
  'answered with an error without a usable code': {
    tool: 'print',
    args: { line: '{"jsonrpc":"2.0","id":ID,"error":{"code":"x","message":"no"}}\n' },
    record: { outcome: 'protocol_error', code: undefined },
  },
  'answered with something unreadable': {
    tool: 'print',
    args: { line: '{"jsonrpc":"1.0","id":ID,"result":{}}\n' },
    record: { outcome: 'target_failed', code: 'unreadable_answer' },
  },
  'answered with too much': {
    options: { maxMessageBytes: 10_000 },
    tool: 'big',
    args: { bytes: 20_000 },
    record: { outcome: 'target_failed', code: 'message_too_large' },
  },
  'not answered by a program that exits': {
    tool: 'crash',
    record: { outcome: 'target_failed', code: 'child_exited' },
  },
};

describe.each(Object.entries(WAYS))('a call %s', (_way, way) => {
  const begin = async (options: Partial<McpStdioBackendOptions> = {}) => {
    const served = await start({ ...way.options, ...options });
    return { ...served, headers: await way.begin(served.url) };
  };

  test.each(Object.entries(OUTCOMES))('%s is recorded as such', async (_what, { options, tool, args, record }) => {
    const { url, headers, calls } = await begin(options);
    const answer = await (await way.call(url, headers, tool, args)).text();
    const found = await calls.of('tools/call', tool);
    expect(found).toMatchObject({ ...record, bytesOut: Buffer.byteLength(answer) });
    expect(calls.records.filter(({ method }) => method === 'tools/call')).toHaveLength(1);
  });

  test('says who called what, and when', async () => {
    const { url, headers, calls } = await begin();
    const before = Date.now();
    await (await way.call(url, { ...headers, traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` }, 'pid')).text();
    const { time, durationMs, bytesIn, bytesOut, ...record } = await calls.of('tools/call', 'pid');
    expect(record).toEqual({
      route: '/mcp',
      target: undefined,
      method: 'tools/call',
      name: 'pid',
      issuer: 'https://issuer.example',
      user: 'ada',
      client: 'client',
      credential: 'opaque_token',
      outcome: 'answered',
      code: undefined,
      session: headers['mcp-session-id'],
      requestId: undefined,
      traceId: 'a'.repeat(32),
    });
    // The clock of the machine may be set meanwhile; the duration is measured on another one.
    expect(time).toBeGreaterThanOrEqual(before - CLOCK_MS);
    expect(durationMs).toBeGreaterThan(0);
    expect(time + durationMs).toBeLessThanOrEqual(Date.now() + CLOCK_MS);
    expect(bytesIn).toBeGreaterThan(50);
    expect(bytesOut).toBeGreaterThan(50);
  });

  test('over the limit of requests is limited', async () => {
    const { url, headers, calls, backend } = await begin({ maxPendingRequests: 1 });
    const first = way.call(url, headers, 'hang').catch(() => undefined);
    await until(() => backend.stats().pending === 1);
    await (await way.call(url, headers, 'echo')).text();
    expect(await calls.of('tools/call', 'echo')).toMatchObject({ outcome: 'limited', code: 'too_many_pending' });
    await backend.close();
    expect(await calls.of('tools/call', 'hang')).toMatchObject({ outcome: 'cancelled', code: 'closing' });
    await first;
  });

  test('is not recorded where nothing listens, and nothing is different', async () => {
    const served = await serve(way.options);
    onTestFinished(() => served.stop());
    const response = await way.call(served.url, await way.begin(served.url), 'echo', { a: 1 });
    expect(await response.text()).toContain('a');
  });
});
