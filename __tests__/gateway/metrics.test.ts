import { channel } from 'node:diagnostics_channel';
import { describe, expect, test } from 'vitest';
import type { CallRecord } from '../../src/telemetry/call-record.js';
import { learnNames } from '../../src/telemetry/listed-names.js';
import { publishCall } from '../support/call-records.js';
import { answer, scripted, serveFile } from '../support/file-gateway.js';
import { signer } from '../support/good-policy.js';
import { startKeyServer } from '../support/key-server.js';
import { call, open, post } from '../support/mcp-requests.js';
import { ANY, openServers } from '../support/operator-servers.js';
import { answerMcp, startRecordingTarget } from '../support/recording-target.js';
import { scrape, seriesOf } from '../support/scraped-metrics.js';

let routes = 0;

/** Serves a route with these targets, and its metrics. */
async function serve(...targets: readonly string[]) {
  routes += 1;
  const route = `route-${routes}`;
  const { gateway, origin: server } = await serveFile({
    gateways: { default: { port: 0 } },
    routes: [{ name: route, backends: [{ mcp: { targets: targets.map((name) => scripted(name)) } }] }],
  });
  const { origin } = await openServers({ stats: ANY }, gateway);
  return { route, server, origin, metrics: () => scrape(origin) };
}

test.each(['/metrics', '/stats/prometheus'])('%s is text for Prometheus at both addresses', async (path) => {
  for (const config of [{ stats: ANY }, { admin: ANY }]) {
    const { origin } = await openServers(config);
    const response = await fetch(origin + path);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await response.text()).toContain('# TYPE mcp_requests_total counter\n');
    expect((await fetch(origin + path, { method: 'POST' })).status).toBe(405);
  }
});

test('the address for metrics serves nothing else, and the address for health no metrics', async () => {
  const stats = await openServers({ stats: ANY });
  expect(stats.notes).toEqual([expect.stringMatching(/^Metrics on http:\/\/127\.0\.0\.1:\d+$/)]);
  expect((await fetch(`${stats.origin}/readyz`)).status).toBe(404);
  const health = await openServers({ health: ANY });
  expect((await fetch(`${health.origin}/metrics`)).status).toBe(404);
});

test('nothing counts once the addresses are closed, and without them', async () => {
  const calls = channel('express-mcp-auth:call');
  const hadSubscribers = calls.hasSubscribers;
  await openServers({ health: ANY });
  expect(calls.hasSubscribers).toBe(hadSubscribers);
  const { close } = await openServers({ stats: ANY });
  expect(calls.hasSubscribers).toBe(true);
  await close();
  expect(calls.hasSubscribers).toBe(hadSubscribers);
});

describe('calls', () => {
  test('count by route, server, method and the name that a list has announced', async () => {
    const { route, metrics } = await serve('one', 'two');
    learnNames(route, 'tools/list', { tools: [{ name: 'one_add' }] });
    learnNames(route, 'resources/list', { resources: [{ uri: 'notes://"1"' }] });
    for (let i = 0; i < 3; i += 1) publishCall({ route, target: 'one', name: 'one_add' });
    publishCall({ route, target: 'one', name: 'made-up' });
    publishCall({ route, target: 'two', method: 'resources/read', name: 'notes://"1"' });
    publishCall({ route, target: 'two', method: 'tasks/get', name: '7c1' });
    publishCall({ route, method: 'ping', name: undefined });
    const labels = (server: string, method: string, resource: string, type: string) =>
      `{route="${route}",server="${server}",method="${method}",resource="${resource}",resource_type="${type}"}`;
    expect(seriesOf(await metrics(), 'mcp_requests_total')).toEqual({
      [labels('one', 'tools/call', 'one_add', 'tool')]: 3,
      [labels('one', 'tools/call', '_other', 'tool')]: 1,
      [labels('two', 'resources/read', 'notes://\\"1\\"', 'resource')]: 1,
      [labels('two', 'tasks/get', 'unknown', 'task')]: 1,
      [labels('unknown', 'ping', 'unknown', 'unknown')]: 1,
    });
  });

  test('of a route with one target have its name', async () => {
    const { route, metrics } = await serve('everything');
    publishCall({ route, method: 'ping', name: undefined });
    expect(Object.keys(seriesOf(await metrics(), 'mcp_requests_total'))).toEqual([
      `{route="${route}",server="everything",method="ping",resource="unknown",resource_type="unknown"}`,
    ]);
  });

  test('have their durations in seconds, by method and outcome', async () => {
    const { route, metrics } = await serve('one');
    publishCall({ route, durationMs: 3 });
    publishCall({ route, durationMs: 2_000 });
    const found = await metrics();
    const labels = 'method="tools/call",outcome="answered"';
    expect(found.get(`mcp_request_duration_seconds_bucket{le="0.005",${labels}}`)).toBe(1);
    expect(found.get(`mcp_request_duration_seconds_bucket{le="2.5",${labels}}`)).toBe(2);
    expect(found.get(`mcp_request_duration_seconds_sum{${labels}}`)).toBeCloseTo(2.003);
  });

  test.each<[CallRecord['code'], string]>([
    ['child_exited', 'child_exited'],
    ['limit_exceeded', 'limit_exceeded'],
    ['insufficient_scope', 'insufficient_scope'],
    ['invented by a server', '_other'],
    [-32_601, '-32601'],
    [-32_042, '-32042'],
    [7, '_other'],
    [-32_000.5, '_other'],
    [undefined, 'unknown'],
  ])('that failed with the code %j count as %s', async (code, label) => {
    const { route, metrics } = await serve('one');
    publishCall({ route, outcome: 'target_failed', code });
    publishCall({ route, outcome: 'answered' });
    expect(seriesOf(await metrics(), 'mcp_request_failures_total')).toEqual({
      [`{outcome="target_failed",code="${label}"}`]: 1,
    });
  });
});

test('decisions of logins count by mode, outcome and code', async () => {
  const keys = await startKeyServer([signer.jwk]);
  const { gateway, origin: server } = await serveFile({
    gateways: { default: { port: 0 } },
    routes: [
      {
        name: 'guarded',
        policies: {
          ...answer('hello'),
          mcpAuthentication: {
            issuer: 'https://issuer.test',
            jwks: { url: keys.url },
            resourceMetadata: { resource: 'http://localhost:3000/mcp' },
          },
        },
      },
    ],
  });
  const { origin } = await openServers({ stats: ANY }, gateway);
  for (let i = 0; i < 2; i += 1) await fetch(server);
  await fetch(server, { headers: { authorization: 'Bearer nonsense' } });
  await gateway.problems();
  const metrics = await scrape(origin);
  expect(seriesOf(metrics, 'mcp_auth_decisions_total')).toEqual({
    '{mode="strict",outcome="refused",code="missing_token"}': 2,
    '{mode="strict",outcome="refused",code="opaque_token"}': 1,
  });
  const ages = seriesOf(metrics, 'mcp_key_set_age_seconds');
  expect(Object.keys(ages)).toEqual(['{route="guarded",issuer="https://issuer.test"}']);
  expect(Object.values(ages)[0]).toBeGreaterThan(0);
  expect(Object.values(ages)[0]).toBeLessThan(60);
});

test('the numbers of backends are gauges by route', async () => {
  const backend = (...targets: readonly object[]) => [{ mcp: { targets } }];
  const path = (exact: string) => [{ path: { exact } }];
  const remote = await startRecordingTarget(answerMcp());
  const { gateway, origin: server } = await serveFile({
    gateways: { default: { port: 0 } },
    routes: [
      { name: 'program', matches: path('/program'), backends: backend(scripted('one')) },
      { name: 'several', matches: path('/several'), backends: backend(scripted('one'), scripted('two')) },
      { name: 'remote', matches: path('/remote'), backends: backend({ name: 'far', mcp: { host: remote.url } }) },
      { name: 'fixed', matches: path('/fixed'), policies: answer('hello') },
    ],
  });
  const { origin } = await openServers({ stats: ANY }, gateway);
  await open(`${server}/program`);
  await open(`${server}/program`);
  await open(`${server}/several`);
  const metrics = await scrape(origin);
  const ofRoutes = (name: string) =>
    Object.fromEntries(
      [...metrics].flatMap(([series, value]) => {
        const [, metric, route] = /^(\w+)\{route="(\w+)"\}$/.exec(series) ?? [];
        return metric === name ? [[route, value]] : [];
      }),
    );
  expect(ofRoutes('mcp_sessions')).toEqual({ program: 2, several: 1, remote: 0 });
  expect(ofRoutes('mcp_child_processes')).toEqual({ program: 2 });
  expect(ofRoutes('mcp_target_connections')).toEqual({ several: 2 });
  expect(ofRoutes('mcp_pending_requests')).toEqual({ program: 0, several: 0, remote: 0 });
  expect(ofRoutes('mcp_streams')).toEqual({ remote: 0 });
  expect(ofRoutes('mcp_target_restarts_total')).toEqual({ program: 0, several: 0 });
});

describe('the name of a tool counts once a list has shown it', () => {
  const LONG = 'x'.repeat(300);
  const TOOLS = Array.from({ length: 500 }, (_, i) => ({ name: `tool-${i}`, description: LONG, inputSchema: {} }));
  /** A remote server with a list of 170 KB. */
  const answerWith =
    (isStream: boolean): Parameters<typeof startRecordingTarget>[0] =>
    ({ body }, res) => {
      const { id, method } = JSON.parse(body) as { id: unknown; method: string };
      const message = JSON.stringify({ jsonrpc: '2.0', id, result: method === 'tools/list' ? { tools: TOOLS } : {} });
      res.setHeader('content-type', isStream ? 'text/event-stream' : 'application/json');
      res.end(isStream ? `data: ${message}\n\n` : message);
    };
  const remote = async (isStream: boolean) => [
    { name: 'far', mcp: { host: (await startRecordingTarget(answerWith(isStream))).url } },
  ];

  test.each<[string, () => Promise<readonly object[]>, string, string]>([
    ['a program', async () => [scripted('one')], 'echo', 'one'],
    ['one of several programs', async () => [scripted('one'), scripted('two')], 'two_echo', 'two'],
    ['a remote server that answers with JSON', () => remote(false), 'tool-499', 'far'],
    ['a remote server that answers with a stream', () => remote(true), 'tool-499', 'far'],
  ])('of %s', async (_what, targets, tool, server) => {
    routes += 1;
    const name = `named-${routes}`;
    const { gateway, origin: address } = await serveFile({
      gateways: { default: { port: 0 } },
      routes: [{ name, backends: [{ mcp: { targets: await targets() } }] }],
    });
    const { origin } = await openServers({ stats: ANY }, gateway);
    const url = `${address}/mcp`;
    const session = await open(url).catch(() => ({}));
    const send = async (message: object) => void (await (await post(url, message, session)).text());
    await send(call(1, tool, { text: 'x' }));
    await send({ jsonrpc: '2.0', id: 2, method: 'tools/list' });
    await send(call(3, tool, { text: 'x' }));
    const series = (resource: string) =>
      `{route="${name}",server="${server}",method="tools/call",resource="${resource}",resource_type="tool"}`;
    expect(seriesOf(await scrape(origin), 'mcp_requests_total')).toMatchObject({
      [series('_other')]: 1,
      [series(tool)]: 1,
    });
  });
});
