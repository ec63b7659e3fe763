import { expect, test } from 'vitest';
import { ServedRoutes } from '../../src/gateway/metrics/served-routes.js';
import type { GatewayRoute } from '../../src/gateway/route.js';
import { learnNames } from '../../src/telemetry/listed-names.js';
import { publishCall } from '../support/call-records.js';
import { scripted, serveFile } from '../support/file-gateway.js';
import { ANY, openServers } from '../support/operator-servers.js';
import { scrape, seriesOf } from '../support/scraped-metrics.js';

test('100,000 made-up names, methods, users and paths leave the number of series as it was', async () => {
  const route = 'notes';
  const { gateway } = await serveFile({
    gateways: { default: { port: 0 } },
    routes: [{ name: route, backends: [{ mcp: { targets: [scripted('one'), scripted('two')] } }] }],
  });
  const { origin } = await openServers({ stats: ANY }, gateway);
  const metrics = () => scrape(origin);
  learnNames(route, 'tools/list', { tools: [{ name: 'one_add' }] });
  const CALLS = [
    ['tools/call', 'one_add'],
    ['tools/call', 'x'],
    ['prompts/get', 'x'],
    ['resources/read', 'x'],
    ['made/up', 'x'],
  ] as const;
  for (const [method, name] of CALLS)
    for (const each of [route, 'x'])
      publishCall({ route: each, target: 'one', method, name, outcome: 'tool_error', code: 'x' });
  const before = [...(await metrics()).keys()];
  for (let i = 0; i < 100_000; i += 1) {
    const [method] = CALLS[i % CALLS.length] as (typeof CALLS)[number];
    const made = `made-up-${i}"\n\\{}\ud800${i}`;
    publishCall({
      route: i % 2 === 0 ? route : made,
      target: 'one',
      method: method === 'made/up' ? made : method,
      name: made,
      user: made,
      client: made,
      session: made,
      outcome: 'tool_error',
      code: made,
    });
  }
  const after = await metrics();
  expect([...after.keys()]).toEqual(before);
  expect(Object.values(seriesOf(after, 'mcp_requests_total')).reduce((sum, value) => sum + value, 0)).toBe(100_010);
});

test('the target of a call is that of the route that has this name now, without a scrape in between', async () => {
  // Only these members count here.
  const routes = [{ label: 'route0', targets: ['a'] }] as unknown as GatewayRoute[];
  const served = new ServedRoutes({ allRoutes: () => routes });
  expect(served.labelsOf('route0', undefined)).toEqual({ route: 'route0', server: 'a' });
  Object.assign(routes[0] as object, { targets: ['b'] });
  await expect
    .poll(() => served.labelsOf('route0', undefined), { timeout: 5_000 })
    .toEqual({ route: 'route0', server: 'b' });
});
