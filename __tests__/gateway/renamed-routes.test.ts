import { expect, test } from 'vitest';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { InputFiles } from '../../src/gateway/input-files.js';
import { scripted, serveFile } from '../support/file-gateway.js';
import { call, callText, open, post } from '../support/mcp-requests.js';
import { ANY, openServers } from '../support/operator-servers.js';
import { scrape, seriesOf } from '../support/scraped-metrics.js';
import { until } from '../support/until.js';

const route = (name: string, path: string, target: string) => ({
  name,
  matches: [{ path: { exact: path } }],
  backends: [{ mcp: { targets: [scripted(target)] } }],
});
const fileWith = (...routes: object[]) => ({
  gateways: { default: { port: 0 } },
  frontendPolicies: { accessLog: {} },
  routes,
});

/** A line for the tool `print` that answers the call `slow`. */
const line = '{"jsonrpc":"2.0","id":"slow","result":{"content":[]}}\n';

test.each([
  ['renamed', []],
  ['renamed to make room for another', [route('old', '/other', 'two')]],
])('a call in flight of a route that is %s is counted and logged under the new name', async (_what, others) => {
  const { gateway, origin, lines } = await serveFile(fileWith(route('old', '/a', 'one')));
  const metrics = await openServers({ stats: ANY }, gateway);
  const session = await open(`${origin}/a`);
  const slow = post(`${origin}/a`, call('slow', 'hang'), session);
  await until(() => gateway.allRoutes().some(({ backend }) => backend?.stats().pending === 1));
  await scrape(metrics.origin);
  const next = parseConfigFile(JSON.stringify(fileWith(route('new', '/a', 'one'), ...others)), '/');
  const { kept } = await gateway.prepare(next, new InputFiles()).use('127.0.0.1');
  expect(kept).toHaveLength(1);
  await callText(`${origin}/a`, session, 'print', { line, answer: true });
  expect((await slow).status).toBe(200);
  await until(() => lines.some((each) => each.includes('gen_ai.tool.name=hang')));
  const logged = lines.find((each) => each.includes('gen_ai.tool.name=hang'));
  expect(logged).toContain('route=new ');
  expect(logged).toContain('mcp.target=one ');
  const calls = Object.entries(seriesOf(await scrape(metrics.origin), 'mcp_requests_total')).filter(([labels]) =>
    labels.includes('tools/call'),
  );
  expect(calls).toEqual([[expect.stringContaining('route="new",server="one"'), 2]]);
});
