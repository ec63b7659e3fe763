import { expect, test } from 'vitest';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { warningsOfSharedLabels } from '../../src/gateway/route-warnings.js';
import { scripted, serveFile } from '../support/file-gateway.js';
import { open } from '../support/mcp-requests.js';
import { ANY, openServers } from '../support/operator-servers.js';
import { scrape, seriesOf } from '../support/scraped-metrics.js';
import { until } from '../support/until.js';

const route = (target: string, members: object = {}) => ({
  matches: [{ path: { pathPrefix: '/mcp' } }],
  backends: [{ mcp: { targets: [scripted(target)] } }],
  ...members,
});
const GATEWAYS = { default: { port: 3000 }, other: { port: 3001 } };
const routesIn = (routes: readonly object[]) => {
  const { binds } = parseConfigFile(JSON.stringify({ gateways: GATEWAYS, routes }), '/');
  return binds.flatMap(({ listeners }) => listeners.flatMap((listener) => listener.routes));
};
const header = (value: string) => ({ headers: [{ name: 'x', value: { exact: value } }] });

test.each<[string, readonly object[], readonly string[]]>([
  ['one path', [route('a')], ['/mcp']],
  ['a path of two hosts', [{ hostnames: ['a.test'] }, { hostnames: ['b.test'] }], ['a.test/mcp', 'b.test/mcp']],
  ['a path of one host, and of all', [{ hostnames: ['a.test', 'b.test'] }, {}], ['a.test/mcp', '/mcp']],
  ['a path of two ports', [{}, { gateways: 'other' }], [':3000/mcp', ':3001/mcp']],
  ['a path and a name', [{ hostnames: ['a.test'] }, { hostnames: ['b.test'], name: 'x' }], ['/mcp', 'x']],
  ['one route on two ports', [{ gateways: ['default', 'other'] }], ['/mcp', '/mcp']],
  [
    'no path',
    [
      { matches: undefined, hostnames: ['a.test'] },
      { hostnames: ['b.test'], name: 'route0' },
    ],
    ['a.test/route0', 'route0'],
  ],
])('the labels of %s', (_what, routes, labels) => {
  expect(routesIn(routes.map((members) => route('a', members))).map(({ label }) => label)).toEqual(labels);
});

test('the command warns of routes with the same host, port and path', () => {
  const matches = (value: string) => [{ path: { pathPrefix: '/mcp' }, ...header(value) }];
  const routes = ['a', 'b', 'c'].map((value) => route(value, { matches: matches(value) }));
  const problem = 'are all ":3000/mcp" in metrics and the access log: give each of them a name';
  expect(warningsOfSharedLabels(routesIn(routes))).toEqual([`routes[0] and routes[1] and 1 more ${problem}`]);
  expect(warningsOfSharedLabels(routesIn(routes.map((each, i) => ({ ...each, name: `r${i}` }))))).toEqual([]);
});

test('two hosts with one path have numbers and targets of their own', async () => {
  const { gateway, origin, lines } = await serveFile({
    gateways: { default: { port: 0 } },
    frontendPolicies: { accessLog: {} },
    routes: [route('docs', { hostnames: ['localhost'] }), route('crm', { hostnames: ['127.0.0.1'] })],
  });
  const metrics = await openServers({ stats: ANY }, gateway);
  const { port } = new URL(origin);
  for (const host of ['localhost', '127.0.0.1']) await open(`http://${host}:${port}/mcp`);
  await until(() => lines.filter((line) => line.startsWith('info request ')).length === 2);
  const logged = lines.filter((line) => line.startsWith('info request '));
  expect(logged.map((line) => / route=(\S+).* mcp\.target=(\S+)/.exec(line)?.slice(1))).toEqual([
    ['localhost/mcp', 'docs'],
    ['127.0.0.1/mcp', 'crm'],
  ]);
  const scraped = await scrape(metrics.origin);
  expect(seriesOf(scraped, 'mcp_sessions')).toEqual({ '{route="localhost/mcp"}': 1, '{route="127.0.0.1/mcp"}': 1 });
  expect(Object.keys(seriesOf(scraped, 'mcp_requests_total'))).toEqual([
    expect.stringContaining('route="localhost/mcp",server="docs"'),
    expect.stringContaining('route="127.0.0.1/mcp",server="crm"'),
  ]);
});

test('the access log has the target of each of two routes with one name', async () => {
  const { origin, lines } = await serveFile({
    gateways: { default: { port: 0 } },
    frontendPolicies: { accessLog: {} },
    routes: ['/a', '/b'].map((path) => route(path.slice(1), { name: 'x', matches: [{ path: { exact: path } }] })),
  });
  for (const path of ['/a', '/b']) await open(origin + path);
  await until(() => lines.filter((line) => line.startsWith('info request ')).length === 2);
  const logged = lines.filter((line) => line.startsWith('info request '));
  expect(logged.map((line) => / mcp\.target=(\S+)/.exec(line)?.[1])).toEqual(['a', 'b']);
});
