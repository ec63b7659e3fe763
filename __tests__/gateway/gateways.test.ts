import { describe, expect, test } from 'vitest';
import { answer, refusal, scripted, serveFile } from '../support/file-gateway.js';
import { sendRaw } from '../support/raw-request.js';

describe('gateways and routes', () => {
  const route = (body: string, more: object = {}) => ({ policies: answer(body), ...more });
  const get = async (url: string, headers: Record<string, string> = {}) => (await fetch(url, { headers })).text();

  test('a route is on the gateways that it names, and otherwise on the one called default', async () => {
    const { origins } = await serveFile({
      gateways: { default: { port: 0 }, admin: { port: 0 } },
      routes: [
        route('default'),
        route('admin', { gateways: 'admin' }),
        route('both', { gateways: ['default', 'admin'], matches: [{ path: { exact: '/both' } }] }),
      ],
    });
    const bodies = origins.map((origin) => Promise.all([get(`${origin}/`), get(`${origin}/both`)]));
    expect(await Promise.all(bodies)).toEqual([
      ['default', 'both'],
      ['admin', 'both'],
    ]);
  });

  test('several listeners on one port are chosen by their host names', async () => {
    const { origin } = await serveFile({
      gateways: {
        default: {
          port: 0,
          listeners: [
            { name: 'a', hostname: 'a.localhost' },
            { name: 'wild', hostname: '*.localhost' },
            { name: 'rest' },
          ],
        },
      },
      routes: ['a', 'wild', 'rest'].map((name) => route(name, { gateways: `default/${name}` })),
    });
    const { port } = new URL(origin);
    const hosts = [`a.localhost:${port}`, 'A.Localhost', 'b.localhost', 'x.y.localhost', 'localhost', 'other.example'];
    const bodies = hosts.map(
      async (host) =>
        (await sendRaw(origin, `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)).split('\r\n\r\n')[1],
    );
    expect(await Promise.all(bodies)).toEqual(['a', 'a', 'wild', 'wild', 'rest', 'rest']);
  });

  test('a route counts only for its host names, before routes for every host', async () => {
    const { origin } = await serveFile({
      gateways: { default: { port: 0 } },
      routes: [route('all'), route('some', { hostnames: ['a.example', '*.b.example'] })],
    });
    const bodies = ['a.example', 'x.b.example', 'b.example', 'c.example'].map(
      async (host) =>
        (await sendRaw(origin, `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)).split('\r\n\r\n')[1],
    );
    expect(await Promise.all(bodies)).toEqual(['some', 'some', 'all', 'all']);
  });

  test('routes are chosen by method, header and query', async () => {
    const one = (name: string, match: object) => route(name, { matches: [match] });
    const value = (name: string, exact: string) => [{ name, value: { exact } }];
    const { origin } = await serveFile({
      gateways: { default: { port: 0 } },
      routes: [
        one('rest', {}),
        one('post', { method: 'POST' }),
        one('header', { headers: value('X-Tenant', 'a') }),
        one('query', { query: value('v', '2') }),
      ],
    });
    expect(await get(origin)).toBe('rest');
    expect(await (await fetch(origin, { method: 'POST' })).text()).toBe('post');
    expect(await get(origin, { 'x-tenant': 'a' })).toBe('header');
    expect(await get(`${origin}?v=2`)).toBe('query');
  });

  test.each([
    [
      { routes: [route('a')] },
      'routes[0] has no port, since the file has no gateways: add gateways: { default: { port: 3000 } } at the top of the file',
    ],
    [
      { gateways: { other: { port: 1 } }, routes: [route('a')] },
      'routes[0] must have gateways, since no gateway is called default',
    ],
    [
      { gateways: { web: { port: 0 } }, routes: [route('a', { gateways: 'wed' })] },
      'routes[0].gateways names the gateway "wed", which gateways does not have',
    ],
    [
      { gateways: { default: { port: 1, listeners: [{}], tls: {} } } },
      'gateways.default.tls must be in each of the listeners, where there are any',
    ],
    [
      { gateways: { default: { port: 1 } }, routes: [{}] },
      'routes[0] must have backends, requestRedirect or directResponse',
    ],
    [
      { gateways: { default: { port: 1 } }, routes: [route('a'), route('b')] },
      'gateways.default has pathPrefix / twice, in routes[0] and in routes[1]',
    ],
    [
      {
        gateways: { default: { port: 1 } },
        routes: [route('a', { hostnames: ['a.example', 'b.example'] }), route('b', { hostnames: ['b.example'] })],
      },
      'gateways.default has pathPrefix / twice, in routes[0] and in routes[1]',
    ],
    [
      { gateways: { default: { port: 1 } }, mcp: { port: 1, targets: [scripted('a')] } },
      'the document has port 1 twice, in mcp and in gateways.default',
    ],
  ])('refused file %#', (file, message) => {
    expect(refusal(file)).toBe(message);
  });
});
