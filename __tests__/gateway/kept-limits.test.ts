import { describe, expect, onTestFinished, test } from 'vitest';
import { chain } from '../../src/gateway/chain.js';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { routesOf } from '../../src/gateway/config/gateway-config.js';
import { createGateway } from '../../src/gateway/gateway.js';
import { InputFiles } from '../../src/gateway/input-files.js';
import { createLimits } from '../../src/gateway/reload/kept-limits.js';
import { createMemoryStore } from '../../src/store/memory-store.js';
import type { Store } from '../../src/store/store.js';
import { serve } from '../support/loopback-server.js';
import { createRecordingLogger } from '../support/recording-logger.js';

const limit = { localRateLimit: [{ maxTokens: 3, tokensPerFill: 1, fillInterval: '1h' }] };
const at = (path: string, own: object = {}, body = path) => ({
  matches: [{ path: { exact: path } }],
  policies: { directResponse: { status: 200, body }, ...own },
});
const forAll = (...routes: object[]) => ({
  routes,
  policies: [{ name: { name: 'p', namespace: 'd' }, target: { gateway: {} }, policy: limit }],
});
const configOf = (file: object) =>
  parseConfigFile(JSON.stringify({ gateways: { default: { port: 0 } }, ...file }), '/');

/** Sends a request to each path in turn; resolves to those that are answered. */
async function passing(origin: string, paths: readonly string[]): Promise<string> {
  const answers = [];
  for (const path of paths) answers.push((await fetch(origin + path)).status === 200 ? path : '');
  return answers.join('');
}

describe('after a reload', () => {
  test.each<[what: string, before: object, after: object, passing: string]>([
    ['a new route counts with those that stay', forAll(at('/a')), forAll(at('/b'), at('/a')), '/b/a'],
    [
      'a changed route counts with those that stay',
      forAll(at('/a'), at('/b')),
      forAll(at('/a', {}, 'x'), at('/b')),
      '/b/a',
    ],
    ['a renamed route goes on counting', forAll(at('/a')), forAll(at('/b')), '/b/b'],
    [
      'a route that has its own limit now counts alone',
      forAll(at('/a'), at('/b')),
      forAll(at('/a'), at('/b', limit)),
      '/b/a/b/a/b',
    ],
    [
      'routes that had limits of their own count together',
      { routes: [at('/a', limit), at('/b', limit)] },
      forAll(at('/b'), at('/a')),
      '/b/a/b',
    ],
    [
      'routes keep their own limits in another order',
      { routes: [at('/a', limit), at('/b', limit)] },
      { routes: [at('/b', limit), at('/a', limit)] },
      '/b/a/b/a/b',
    ],
  ])('%s', async (_what, before, after, expected) => {
    const gateway = createGateway(configOf(before), createRecordingLogger().logger);
    onTestFinished(() => gateway.close());
    const [address] = await gateway.listen('127.0.0.1');
    const origin = `http://${address}`;
    expect(await passing(origin, ['/a'])).toBe('/a');
    await gateway.prepare(configOf(after), new InputFiles()).use('127.0.0.1');
    expect(await passing(origin, ['/b', '/a', '/b', '/a', '/b', '/a', '/b', '/a'])).toBe(expected);
  });

  test('a version that is not used changes no limit of the one in use', async () => {
    const gateway = createGateway(configOf(forAll(at('/a'))), createRecordingLogger().logger);
    onTestFinished(() => gateway.close());
    const [address] = await gateway.listen('127.0.0.1');
    gateway.prepare(configOf({ routes: [at('/a', limit), at('/b', limit)] }), new InputFiles());
    expect(await passing(`http://${address}`, ['/a', '/a', '/a', '/a'])).toBe('/a/a/a');
  });
});

/** Resolves to the buckets from which each limit of a file takes in a store. */
async function bucketsOf(file: object): Promise<readonly string[]> {
  const taken: string[] = [];
  const store: Store = {
    ...createMemoryStore(),
    take(buckets) {
      taken.push(...buckets.map(({ key }) => key));
      return 0;
    },
  };
  const routes = routesOf(configOf(file)).map((route) => ({ route, place: route.at, scope: `scope ${route.label}` }));
  const limits = createLimits(routes, { ...createRecordingLogger(), store, earlier: [] });
  const countAll = chain(limits.map(({ count }) => count));
  await fetch(await serve((req, res) => countAll(req, res, () => res.end())));
  return taken.map((key) => key.replace(/:.*/, ''));
}

test.each<[what: string, file: object, buckets: readonly string[]]>([
  ['routes share has one bucket', forAll(at('/a'), at('/b')), ['scope /a']],
  ['routes share in another order has the same one', forAll(at('/b'), at('/a')), ['scope /a']],
  ['each route has is its own bucket', { routes: [at('/b', limit), at('/a', limit)] }, ['scope /b', 'scope /a']],
])('in a store, a limit that %s', async (_what, file, buckets) => {
  expect(await bucketsOf(file)).toEqual(buckets);
});
