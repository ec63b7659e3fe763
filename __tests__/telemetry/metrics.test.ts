import { expect, onTestFinished, test } from 'vitest';
import { call, type Headers, open, post } from '../support/mcp-requests.js';
import { serveTargets } from '../support/several-backend.js';
import { NODE, SCRIPTED } from '../support/stdio-bridge.js';
import { type InMemoryTelemetry, startInMemoryTelemetry } from '../support/telemetry.js';

interface Served {
  readonly url: string;
  readonly session: Headers;
  readonly telemetry: InMemoryTelemetry;
}

/** One target under a name, so that metrics have it. */
async function start(): Promise<Served> {
  const telemetry = startInMemoryTelemetry();
  const { url, backend } = await serveTargets({ targets: { one: { command: NODE, args: [SCRIPTED] } } });
  onTestFinished(() => backend.close());
  const session = await open(url);
  return { url, session, telemetry };
}

const send = async ({ url, session }: Served, message: object) => (await post(url, message, session)).text();

/** The points about one method, with the number of calls in each. */
async function countsOf({ telemetry }: Served, metric: string, method: string) {
  const points = await telemetry.points(metric);
  return points
    .filter(({ attributes }) => attributes['mcp.method.name'] === method)
    .map(({ attributes: { 'mcp.method.name': _method, ...attributes }, value }) => ({
      ...attributes,
      calls: value.count,
    }));
}

const TRANSPORT = { 'network.transport': 'tcp', 'network.protocol.name': 'http', 'network.protocol.version': '1.1' };
const EXECUTES = { 'gen_ai.operation.name': 'execute_tool' };

test('durations of calls are counted by method, tool and error, here and at the target', async () => {
  const served = await start();
  await send(served, { jsonrpc: '2.0', id: 1, method: 'tools/list' });
  await send(served, call(2, 'echo'));
  await send(served, call(3, 'echo'));
  await send(served, call(4, 'print', { line: '{"jsonrpc":"2.0","id":ID,"error":{"code":-32602,"message":"no"}}\n' }));
  await send(served, call(5, 'print', { line: '{"jsonrpc":"2.0","id":ID,"error":{"code":4711,"message":"no"}}\n' }));
  await send(served, call(6, 'print', { line: '{"jsonrpc":"2.0","id":ID,"result":{"isError":true}}\n' }));
  const [echo, print] = ['echo', 'print'].map((tool) => ({ 'gen_ai.tool.name': tool, ...EXECUTES }));
  const expected = [
    { ...echo, calls: 2 },
    { ...print, 'error.type': '-32602', 'rpc.response.status_code': '-32602', calls: 1 },
    // MCP servers choose such codes.
    { ...print, 'error.type': '_OTHER', calls: 1 },
    { ...print, 'error.type': 'tool_error', calls: 1 },
  ];
  expect(await countsOf(served, 'mcp.server.operation.duration', 'tools/call')).toEqual(
    expected.map((point) => ({ ...TRANSPORT, ...point })),
  );
  expect(await countsOf(served, 'mcp.client.operation.duration', 'tools/call')).toEqual(
    expected.map((point) => ({ 'express_mcp_auth.target': 'one', ...point })),
  );
});

test('durations are in seconds, in the buckets of the conventions', async () => {
  const served = await start();
  await send(served, call(1, 'nap', { ms: 60 }));
  const points = await served.telemetry.points('mcp.server.operation.duration');
  const point = points.find(({ attributes }) => attributes['mcp.method.name'] === 'tools/call');
  expect(point?.value.sum).toBeGreaterThan(0.06);
  expect(point?.value.sum).toBeLessThan(10);
  expect(point?.value.buckets.boundaries).toEqual([0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300]);
});

test('names, methods and revisions that clients make up make no further series', async () => {
  const served = await start();
  const made = async (i: number) => {
    await send(served, { jsonrpc: '2.0', id: i, method: 'prompts/get', params: { name: `made-up-${i}` } });
    await send(served, { jsonrpc: '2.0', id: i, method: `made/up-${i}` });
    await send(served, { jsonrpc: '2.0', id: i, method: 'resources/read', params: { uri: `made:up-${i}` } });
  };
  await made(1);
  const seriesOf = async () => {
    const metrics = ['mcp.server.operation.duration', 'mcp.client.operation.duration'];
    return (await Promise.all(metrics.map((metric) => served.telemetry.points(metric)))).map(({ length }) => length);
  };
  const before = await seriesOf();
  for (let i = 2; i < 30; i++) await made(i);
  expect(await seriesOf()).toEqual(before);
});
