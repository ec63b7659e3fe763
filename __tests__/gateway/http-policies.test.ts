import { describe, expect, test } from 'vitest';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { scripted, serveFile } from '../support/file-gateway.js';
import { initialize, open, post } from '../support/mcp-requests.js';
import { startRecordingTarget } from '../support/recording-target.js';

const file = (policies: object, route: object = {}) => ({
  gateways: { default: { port: 0 } },
  routes: [{ backends: [{ mcp: { targets: [scripted('only')] } }], policies, ...route }],
});
const prefix = (pathPrefix: string) => ({ matches: [{ path: { pathPrefix } }] });

describe('requestRedirect', () => {
  const locationFor = async (requestRedirect: object, path: string, matches: object = {}) => {
    const { origin } = await serveFile(file({ requestRedirect }, matches));
    const response = await fetch(origin + path, { redirect: 'manual' });
    return [response.status, response.headers.get('location')?.replace(origin, 'ORIGIN')];
  };

  test.each([
    [{}, '/a?b', {}, 302, 'ORIGIN/a?b'],
    [
      { scheme: 'https', authority: { full: 'example.com' }, path: { full: '/new' }, status: 307 },
      '/a?b',
      {},
      307,
      'https://example.com/new?b',
    ],
    [{ authority: { host: 'example.com' }, scheme: 'http' }, '/', {}, 302, 'http://example.com/'],
    [{ authority: { port: 8443 }, scheme: 'https', status: 301 }, '/', {}, 301, 'https://127.0.0.1:8443/'],
    [{ authority: { port: 443 }, scheme: 'https' }, '/', {}, 302, 'https://127.0.0.1/'],
    [{ path: { prefix: '/new' } }, '/old/deep?q=1', prefix('/old'), 302, 'ORIGIN/new/deep?q=1'],
    [{ path: { prefix: '/' } }, '/old/deep', prefix('/old'), 302, 'ORIGIN/deep'],
    [{ path: { prefix: '/' } }, '/old', prefix('/old'), 302, 'ORIGIN/'],
  ])('%j answers a request for %s', async (redirect, path, matches, status, location) => {
    expect(await locationFor(redirect, path, matches)).toEqual([status, location]);
  });

  test('is behind the login', async () => {
    const mcpAuthentication = { issuer: 'https://issuer.test', audiences: ['a'], jwks: { url: 'http://127.0.0.1:1/' } };
    const { origin } = await serveFile(file({ requestRedirect: {}, mcpAuthentication }));
    expect((await fetch(origin, { redirect: 'manual' })).status).toBe(401);
  });
});

describe('directResponse', () => {
  test('answers without a backend', async () => {
    const { origin } = await serveFile({
      gateways: { default: { port: 0 } },
      routes: [{ policies: { directResponse: { status: 503, body: 'away' } } }],
    });
    const response = await fetch(origin, { method: 'POST', body: 'x' });
    expect([response.status, await response.text()]).toEqual([503, 'away']);
  });
});

describe('header modifiers', () => {
  test('responseHeaderModifier changes answers of the backend and of the gateway itself', async () => {
    const responseHeaderModifier = {
      add: { 'X-Frame-Options': 'DENY' },
      set: { 'content-type': 'text/plain', 'X-Set': 'a' },
      remove: ['Cache-Control'],
    };
    const { origin } = await serveFile(file({ responseHeaderModifier }));
    const response = await post(`${origin}/mcp`, initialize());
    expect(response.status).toBe(200);
    const names = ['x-frame-options', 'x-set', 'content-type', 'cache-control'];
    expect(names.map((name) => response.headers.get(name))).toEqual(['DENY', 'a', 'text/plain', null]);
  });

  test('requestHeaderModifier of a route reaches a remote target, and no header of a client by its names', async () => {
    const target = await startRecordingTarget();
    const backends = [
      { mcp: { targets: [{ mcp: { host: target.url, requestHeaders: ['x-one', 'x-two', 'x-three'] } }] } },
    ];
    const requestHeaderModifier = { set: { 'X-One': 'ours' }, remove: ['x-two'] };
    const { origin } = await serveFile(file({ requestHeaderModifier }, { backends }));
    await open(`${origin}/mcp`, { 'x-one': 'theirs', 'x-two': 'theirs', 'x-three': 'theirs' });
    const { headers } = target.arrived[0] ?? {};
    expect([headers?.['x-one'], headers?.['x-two'], headers?.['x-three']]).toEqual(['ours', undefined, 'theirs']);
  });
});

describe('a policy of a route and of its backend', () => {
  const ofRoute = { set: { 'X-Route': 'r', 'x-both': 'route' }, add: { 'x-list': 'one' }, remove: ['x-secret'] };
  const ofBackend = { set: { 'x-backend': 'b', 'x-both': 'backend' }, add: { 'x-list': 'two' } };
  const requestHeaders = ['x-secret', 'x-other'];
  const servers = (host: string, target: object = {}) => ({
    mcp: { targets: [{ name: 'a', mcp: { host, requestHeaders }, ...target }] },
  });
  const policies = (modifier: object) => ({ policies: { requestHeaderModifier: modifier } });
  const gateways = { default: { port: 0 } };
  const targeted = (target: object, modifier: object) => ({
    name: { name: 'p', namespace: 'd' },
    target,
    policy: { requestHeaderModifier: modifier },
  });
  const forRoute = { route: { name: 'notes', namespace: 'd' } };
  const forBackend = { backend: { backend: { name: 'notes', namespace: 'd' } } };

  test.each<[place: string, file: (host: string) => object]>([
    [
      'beside the backend',
      (host) => ({ routes: [{ ...policies(ofRoute), backends: [{ ...servers(host), ...policies(ofBackend) }] }] }),
    ],
    ['of a target', (host) => ({ routes: [{ ...policies(ofRoute), backends: [servers(host, policies(ofBackend))] }] })],
    [
      'of a target in the section mcp',
      (host) => ({ mcp: { ...policies(ofRoute), ...servers(host, policies(ofBackend)).mcp } }),
    ],
    [
      'in the section backends',
      (host) => ({
        backends: [{ name: 'notes', ...servers(host), ...policies(ofBackend) }],
        routes: [{ ...policies(ofRoute), backends: [{ backend: 'notes' }] }],
      }),
    ],
    [
      'in the section policies, as that of the route is',
      (host) => ({
        backends: [{ name: 'notes', ...servers(host) }],
        routes: [{ name: 'notes', backends: [{ backend: 'notes' }] }],
        policies: [targeted(forBackend, ofBackend), targeted(forRoute, ofRoute)],
      }),
    ],
  ])('requestHeaderModifier %s applies after that of the route', async (_place, file) => {
    const target = await startRecordingTarget();
    const { origin } = await serveFile({ gateways, ...file(target.url) });
    await open(`${origin}/mcp`, { 'x-secret': 'theirs', 'x-other': 'theirs', 'x-backend': 'theirs' });
    const names = ['x-route', 'x-backend', 'x-both', 'x-list', 'x-secret', 'x-other'];
    const seen = names.map((name) => target.arrived[0]?.headers[name]);
    expect(seen).toEqual(['r', 'b', 'backend', 'one, two', undefined, 'theirs']);
  });

  test('that of a target replaces that of its backend, and not that of the route', async () => {
    const target = await startRecordingTarget();
    const backend = servers(target.url, policies({ set: { 'x-target': 't' } }));
    const { origin } = await serveFile({
      gateways,
      routes: [
        {
          ...policies({ set: { 'x-route': 'r' } }),
          backends: [{ ...backend, ...policies({ set: { 'x-backend': 'b' } }) }],
        },
      ],
    });
    await open(`${origin}/mcp`);
    const { headers = {} } = target.arrived[0] ?? {};
    expect([headers['x-route'], headers['x-backend'], headers['x-target']]).toEqual(['r', undefined, 't']);
  });

  test('responseHeaderModifier applies after that of the route', async () => {
    const modifier = (set: object, add: object = {}) => ({ responseHeaderModifier: { set, add } });
    const { origin } = await serveFile({
      gateways,
      routes: [
        {
          policies: modifier({ 'x-frame-options': 'DENY', 'x-both': 'route' }, { 'x-list': 'one' }),
          backends: [
            { mcp: { targets: [scripted('only')] }, policies: modifier({ 'x-both': 'backend' }, { 'x-list': 'two' }) },
          ],
        },
      ],
    });
    const { headers } = await post(`${origin}/mcp`, initialize());
    const names = ['x-frame-options', 'x-both', 'x-list'];
    expect(names.map((name) => headers.get(name))).toEqual(['DENY', 'backend', 'one, two']);
  });

  test.each<[own: string, ofRoute: object, seen: [number, string | null]]>([
    ['its own redirect', { requestRedirect: { authority: { full: 'first.example' } } }, [302, 'http://first.example/']],
    ['a direct response', { directResponse: { status: 503 } }, [503, null]],
    ['no answer', {}, [302, 'http://second.example/']],
  ])('requestRedirect of a backend answers where the route itself does not: it has %s', async (_own, ofRoute, seen) => {
    const requestRedirect = { authority: { full: 'second.example' } };
    const { origin } = await serveFile({
      gateways,
      routes: [
        { policies: ofRoute, backends: [{ mcp: { targets: [scripted('only')] }, policies: { requestRedirect } }] },
      ],
    });
    const response = await fetch(origin, { redirect: 'manual' });
    expect([response.status, response.headers.get('location')]).toEqual(seen);
  });
});

describe('refused', () => {
  const cases: ReadonlyArray<readonly [policies: object, message: string]> = [
    [{ requestRedirect: { status: 200 } }, 'requestRedirect.status must be one of 301, 302, 303, 307, 308, but is 200'],
    [
      { requestRedirect: { path: { full: '//evil.example' } } },
      'requestRedirect.path.full must be a path such as "/mcp", percent-encoded and without a query',
    ],
    [
      { requestRedirect: { authority: { host: 'a/b' } } },
      'requestRedirect.authority.host must be a host, without a path',
    ],
    [
      { requestRedirect: {}, directResponse: { status: 200 } },
      'directResponse is never reached, because of routes[0].policies.requestRedirect: remove one of them',
    ],
    [{ directResponse: { status: 101 } }, 'directResponse.status must be a status from 200 to 599, but is 101'],
    [
      { directResponse: { status: 200, bodyExpression: '1' } },
      'directResponse.bodyExpression is not supported: expressions are only in rules. Write a fixed body.',
    ],
    [
      { urlRewrite: { authority: { full: 'a' } } },
      'urlRewrite.authority is not supported, except "auto" and "none": the Host of a request to a target is that of its URL',
    ],
    [
      { requestHeaderModifier: { set: { host: 'a' } } },
      'requestHeaderModifier.set.host must be the name of a header that is not about the connection',
    ],
    [
      { responseHeaderModifier: { add: { a: 'b\nc' } } },
      'responseHeaderModifier.add.a must be on one line, without control characters',
    ],
    [{ timeout: { requestTimeout: '0s' } }, 'timeout.requestTimeout must be more than 0 and at most 24 days'],
    [
      { timeout: { requestTimeout: 'soon' } },
      'timeout.requestTimeout must be a time such as "600s", "10m" or "1h", but is "soon"',
    ],
  ];
  test.each(cases)('%j', (policies, message) => {
    expect(() => parseConfigFile(JSON.stringify(file(policies)), '/')).toThrow(`routes[0].policies.${message}`);
  });

  test('a prefix without a prefix in each match', () => {
    const text = JSON.stringify(
      file({ urlRewrite: { path: { prefix: '/a' } } }, { matches: [{ path: { exact: '/b' } }] }),
    );
    expect(() => parseConfigFile(text, '/')).toThrow(
      'needs a pathPrefix in each match of the route, but routes[0].matches[0] has none',
    );
  });
});
