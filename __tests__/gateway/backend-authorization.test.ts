import { describe, expect, test } from 'vitest';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { InputFiles } from '../../src/gateway/input-files.js';
import { routeKeyOf } from '../../src/gateway/reload/route-key.js';
import { scripted, serveFile } from '../support/file-gateway.js';
import { initialize, post } from '../support/mcp-requests.js';
import { startRecordingTarget } from '../support/recording-target.js';

const gateways = { default: { port: 0 } };
const allow = (name: string) => ({ authorization: { rules: [`request.headers["${name}"] == "1"`] } });
const deny = (name: string) => ({ authorization: { rules: [{ deny: `"${name}" in request.headers` }] } });
const mcp = { targets: [scripted('a')] };
const targeted = (kind: 'route' | 'backend', policy: object) => {
  const named = { name: 'notes', namespace: 'd' };
  return {
    name: { name: 'p', namespace: 'd' },
    target: kind === 'route' ? { route: named } : { backend: { backend: named } },
    policy,
  };
};
const ofGateway = (policy: object) => ({
  name: { name: 'p', namespace: 'd' },
  target: { gateway: { gatewayName: 'default', gatewayNamespace: 'd' } },
  policy,
});
const route = (members: object, ofBackend: object) => ({ name: 'notes', ...members, backends: [ofBackend] });

/** The status of a request with these headers. */
async function statusOf(origin: string, ...names: string[]): Promise<number> {
  const headers = Object.fromEntries(names.map((name) => [name, '1']));
  return (await post(`${origin}/mcp`, initialize(), headers)).status;
}

describe('authorization of a route and of its backend must both allow', () => {
  test.each<[place: string, file: object]>([
    ['beside the backend', { routes: [route({ policies: allow('x-a') }, { mcp, policies: allow('x-b') })] }],
    [
      'of an entry of backends',
      {
        backends: [{ name: 'notes', mcp, policies: allow('x-b') }],
        routes: [route({ policies: allow('x-a') }, { backend: 'notes' })],
      },
    ],
    [
      'of the section policies',
      {
        backends: [{ name: 'notes', mcp }],
        routes: [route({}, { backend: 'notes' })],
        policies: [targeted('backend', allow('x-b')), targeted('route', allow('x-a'))],
      },
    ],
    [
      'of the section policies, for the gateway and beside the backend',
      { routes: [route({}, { mcp, policies: allow('x-b') })], policies: [ofGateway(allow('x-a'))] },
    ],
    [
      'of binds',
      {
        binds: [
          { port: 0, listeners: [{ routes: [route({ policies: allow('x-a') }, { mcp, policies: allow('x-b') })] }] },
        ],
      },
    ],
  ])('%s', async (_place, file) => {
    const { origin } = await serveFile('binds' in file ? file : { gateways, ...file });
    const statuses = [[], ['x-a'], ['x-b'], ['x-a', 'x-b']].map((names) => statusOf(origin, ...names));
    expect(await Promise.all(statuses)).toEqual([403, 403, 403, 200]);
  });

  test('a route with only a deny rule does not open a backend with an allow rule', async () => {
    const { origin } = await serveFile({
      gateways,
      routes: [route({ policies: deny('x-a') }, { mcp, policies: allow('x-b') })],
    });
    const statuses = [[], ['x-b'], ['x-a', 'x-b']].map((names) => statusOf(origin, ...names));
    expect(await Promise.all(statuses)).toEqual([403, 200, 403]);
  });

  test('rules of several places for the route count together, and so do those for the backend', async () => {
    const { origin } = await serveFile({
      gateways,
      backends: [{ name: 'notes', mcp, policies: allow('x-b') }],
      routes: [route({ policies: allow('x-a') }, { backend: 'notes', policies: allow('x-c') })],
      policies: [ofGateway(allow('x-d')), targeted('backend', allow('x-e'))],
    });
    const requests = [
      ['x-a', 'x-d'],
      ['x-b', 'x-c', 'x-e'],
      ['x-d', 'x-e'],
      ['x-a', 'x-b'],
      ['x-d', 'x-c'],
    ];
    const statuses = requests.map((names) => statusOf(origin, ...names));
    expect(await Promise.all(statuses)).toEqual([403, 403, 200, 200, 200]);
  });
});

describe('authorization of a backend', () => {
  test('sees the headers that the route sets, and none that only the backend sets', async () => {
    const modifier = (name: string) => ({ requestHeaderModifier: { set: { [name]: '1' }, remove: ['x-removed'] } });
    const start = (name: string) =>
      serveFile({
        gateways,
        routes: [
          route({ policies: modifier('x-route') }, { mcp, policies: { ...modifier('x-backend'), ...allow(name) } }),
        ],
      });
    const origins = await Promise.all(['x-route', 'x-removed', 'x-backend'].map(start));
    const statuses = origins.map(({ origin }, i) => statusOf(origin, ...(i === 1 ? ['x-removed'] : [])));
    expect(await Promise.all(statuses)).toEqual([200, 403, 403]);
  });

  test('refuses before a target gets anything', async () => {
    const target = await startRecordingTarget();
    const remote = { targets: [{ mcp: { host: target.url } }] };
    const { origin } = await serveFile({ gateways, routes: [route({}, { mcp: remote, policies: deny('x-a') })] });
    expect(await statusOf(origin, 'x-a')).toBe(403);
    expect(target.arrived).toEqual([]);
  });

  test('also refuses requests that a redirect of the backend answers', async () => {
    const policies = { ...allow('x-b'), requestRedirect: {} };
    const { origin } = await serveFile({ gateways, routes: [route({}, { mcp, policies })] });
    const requests = [{}, { 'x-b': '1' }].map((headers) => fetch(origin, { headers, redirect: 'manual' }));
    expect((await Promise.all(requests)).map(({ status }) => status)).toEqual([403, 302]);
  });
});

test.each<[name: string, policies: object]>([
  ['authorization', allow('x-a')],
  ['requestHeaderModifier', { requestHeaderModifier: { set: { 'x-a': '1' } } }],
])('%s that moves from a route to its backend in the file makes another route', (_name, policies) => {
  const keys = [route({ policies }, { mcp }), route({}, { mcp, policies })].map((written) => {
    const [bind] = parseConfigFile(JSON.stringify({ gateways, routes: [written] }), '/').binds;
    const [listener] = bind?.listeners ?? [];
    const [read] = listener?.routes ?? [];
    if (bind === undefined || listener === undefined || read === undefined) throw new Error('the file has no route');
    return routeKeyOf(bind, listener, read, { files: new InputFiles(), secret: undefined, scope: 'one' }).key;
  });
  expect(keys[0]).not.toBe(keys[1]);
});
