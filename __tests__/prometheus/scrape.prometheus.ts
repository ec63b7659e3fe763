import { afterEach, expect, onTestFinished, test } from 'vitest';
import { blockToRun } from '../support/code-blocks.js';
import { scripted } from '../support/file-gateway.js';
import { makeGatewayFolder } from '../support/gateway-folder.js';
import { freePort } from '../support/loopback-server.js';
import { call, type Headers, open, post } from '../support/mcp-requests.js';
import { CLI, endPrograms, startNode } from '../support/program.js';
import { type Prometheus, startPrometheus } from '../support/prometheus.js';
import { answerMcp, startRecordingTarget } from '../support/recording-target.js';
import { until } from '../support/until.js';

afterEach(endPrograms);

/** Starts the command with a program, several programs and a remote server, each on a path of its own. */
async function startCommand() {
  const folder = await makeGatewayFolder();
  onTestFinished(() => folder.remove());
  const remote = await startRecordingTarget(answerMcp());
  const [stats, admin] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
  const route = (name: string, ...targets: readonly object[]) => ({
    name,
    matches: [{ path: { exact: `/${name}` } }],
    backends: [{ mcp: { targets } }],
  });
  const file = await folder.write(
    'config.yaml',
    JSON.stringify({
      config: { statsAddr: stats, adminAddr: admin },
      gateways: { default: { port: 0 } },
      routes: [
        route('program', scripted('one')),
        route('several', scripted('two'), scripted('three')),
        route('remote', { name: 'far', mcp: { host: remote.url } }),
      ],
    }),
  );
  const program = startNode([CLI, '-f', file, '--host', '127.0.0.1']);
  const [, origin] = await program.says(/Listening on (\S+)/);
  await program.says(/Metrics on http:/);
  return { stats, admin, urlOf: (name: string) => `http://${origin}/${name}` };
}

const send = async (url: string, session: Headers, message: object): Promise<void> =>
  void (await (await post(url, message, session)).text());

/** Resolves to the numbers of calls by label, once their sum is `total`. */
async function countsBy(prometheus: Prometheus, label: string, total: number): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  await until(async () => {
    for (const { metric, value } of await prometheus.query(`sum by (${label}) (mcp_requests_total)`))
      counts[metric[label] ?? ''] = Number(value[1]);
    return Object.values(counts).reduce((sum, count) => sum + count, 0) === total;
  }, 30_000);
  return counts;
}

test('Prometheus answers how often each tool was called, at each server', async () => {
  const { stats, urlOf } = await startCommand();
  const prometheus = await startPrometheus(stats);
  for (const [name, tool] of [
    ['program', 'echo'],
    ['several', 'three_echo'],
    ['remote', 'echo'],
  ] as const) {
    const session = await open(urlOf(name));
    await send(urlOf(name), session, { jsonrpc: '2.0', id: 1, method: 'tools/list' });
    for (const id of [2, 3, 4]) await send(urlOf(name), session, call(id, tool, { text: 'x' }));
    await send(urlOf(name), session, call(5, 'made-up'));
  }
  expect(await countsBy(prometheus, 'resource', 18)).toEqual({
    echo: expect.any(Number),
    three_echo: 3,
    _other: expect.any(Number),
    unknown: 6,
  });
  expect(await prometheus.health()).toBe('up');
  const byServer = await countsBy(prometheus, 'server', 18);
  expect(byServer).toMatchObject({ one: 6, far: 6, three: 3 });
  const slow = await prometheus.query(
    'histogram_quantile(0.95, sum by (le) (mcp_request_duration_seconds_bucket{method="tools/call"}))',
  );
  expect(Number(slow[0]?.value[1])).toBeGreaterThan(0);
  expect(await prometheus.query('mcp_sessions{route="several"}')).toMatchObject([{ value: [expect.anything(), '1'] }]);
});

test('clients that make up names make no new series', async () => {
  const { admin, urlOf } = await startCommand();
  const prometheus = await startPrometheus(admin);
  const url = urlOf('remote');
  const session = await open(url);
  const callMadeUp = async (name: string) => {
    await send(url, session, call(name, name));
    await send(url, session, { jsonrpc: '2.0', id: name, method: name });
  };
  await callMadeUp('first');
  await countsBy(prometheus, 'method', 3);
  const seriesNow = async () => (await prometheus.query('count({job="gateway"})'))[0]?.value[1];
  const before = await seriesNow();
  for (let i = 0; i < 500; i += 1) await callMadeUp(`made-up-${i}`);
  expect(await countsBy(prometheus, 'method', 1_003)).toEqual({ initialize: 1, 'tools/call': 501, _other: 501 });
  expect(await seriesNow()).toBe(before);
});

test('Prometheus answers the queries of the documentation', async () => {
  const { admin, urlOf } = await startCommand();
  const prometheus = await startPrometheus(admin);
  const session = await open(urlOf('program'));
  await send(urlOf('program'), session, { jsonrpc: '2.0', id: 1, method: 'tools/list' });
  for (let id = 2; id < 10; id += 1) {
    await send(urlOf('program'), session, call(id, 'echo', { text: 'x' }));
    await countsBy(prometheus, 'resource', id + 1);
  }
  const [ofTools = '', durations = '', refused = ''] = blockToRun('docs/observability.md', 'queries').split('\n\n');
  const [first] = await prometheus.query(ofTools);
  expect(first?.metric).toEqual({ server: 'one', resource: 'echo' });
  expect(Number(first?.value[1])).toBeGreaterThan(0);
  expect(Number((await prometheus.query(durations))[0]?.value[1])).toBeGreaterThan(0);
  // The routes have no login.
  expect(await prometheus.query(refused)).toEqual([]);
});
