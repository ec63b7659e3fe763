import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { createGateway, type Gateway } from '../../src/gateway/gateway.js';
import { StartupError } from '../../src/gateway/startup-error.js';
import { type GatewayFolder, makeGatewayFolder } from '../support/gateway-folder.js';
import { PROVIDER_BEHAVIOURS } from '../support/provider-behaviours.js';
import { startProviderServer } from '../support/provider-server.js';
import { sendRaw } from '../support/raw-request.js';

let folder: GatewayFolder;
beforeAll(async () => {
  folder = await makeGatewayFolder();
  return () => folder.remove();
});

let gateway: Gateway | undefined;
afterEach(async () => {
  await gateway?.close();
  gateway = undefined;
  warnings.length = 0;
});

const quiet = () => undefined;
const warnings: string[] = [];
const logger = { debug: quiet, info: quiet, warn: (line: string) => void warnings.push(line), error: quiet };
const BASE = '/.well-known/oauth-authorization-server/mcp';

/** A route whose `matches` name only the MCP server. */
function routeAt(path: string, policy: Record<string, unknown>) {
  const mcpAuthentication = {
    audiences: ['mcp_proxy'],
    provider: { keycloak: {} },
    resourceMetadata: { resource: `http://localhost:3000${path}` },
    ...policy,
  };
  const stdio = { cmd: process.execPath, args: ['-e', 'process.stdin.resume()'] };
  const backends = [{ mcp: { targets: [{ stdio }] } }];
  return { backends, matches: [{ path: { exact: path } }], policies: { mcpAuthentication } };
}

function createGatewayOf(routes: readonly object[], config: object = {}): Gateway {
  const text = JSON.stringify({ config, binds: [{ port: 0, listeners: [{ routes }] }] });
  return createGateway(parseConfigFile(text, folder.path), logger);
}

async function serve(changes: Record<string, unknown> = {}): Promise<string> {
  const { issuer } = await startProviderServer(PROVIDER_BEHAVIOURS.keycloak.kind);
  gateway = createGatewayOf([routeAt('/mcp', { issuer, ...changes })]);
  const [address] = await gateway.listen('127.0.0.1');
  return `http://${address}`;
}

function register(origin: string, path = `${BASE}/client-registration`, more: object = {}): Promise<Response> {
  const headers = { 'content-type': 'application/json', origin: 'https://client.example', ...more };
  const body = JSON.stringify({ redirect_uris: ['http://127.0.0.1/cb'], token_endpoint_auth_method: 'none' });
  return fetch(origin + path, { method: 'POST', headers, body });
}

describe('the OAuth proxy in the gateway', () => {
  test.each([
    ['GET', BASE, 200],
    ['GET', '/.well-known/oauth-authorization-server', 200],
    ['GET', '/.well-known/openid-configuration/mcp', 200],
    ['GET', '/mcp/.well-known/openid-configuration', 200],
    ['GET', `${BASE}/authorize`, 400],
    ['GET', `${BASE}/callback`, 400],
    ['POST', `${BASE}/token`, 415],
    ['POST', '/register', 404],
  ])('is served whether or not matches list it: %s %s answers %d', async (method, path, status) => {
    expect((await fetch((await serve()) + path, { method })).status).toBe(status);
  });

  test('lets an address register 30 clients a minute, and a page can read the refusal', async () => {
    const origin = await serve();
    const statuses = await Promise.all(Array.from({ length: 30 }, async () => (await register(origin)).status));
    expect(statuses).toEqual(Array(30).fill(201));
    const refused = await register(origin);
    expect(refused.status).toBe(429);
    expect(refused.headers.get('access-control-allow-origin')).toBe('*');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await refused.json()).toMatchObject({ error: 'too_many_requests' });
    expect((await fetch(origin + BASE)).status).toBe(200);
  });

  test('logs once a minute that there were too many registrations', async () => {
    const origin = await serve();
    await Promise.all(Array.from({ length: 40 }, () => register(origin)));
    const tooMany = warnings.filter((line) => line.includes('registrations refused by this server: more than 30'));
    expect(tooMany).toEqual([expect.stringContaining(', now from 127.0.0.1; ')]);
  });

  test('counts the registrations of legacyEndpoints too', async () => {
    const origin = await serve({ oauthProxy: { legacyEndpoints: true } });
    await Promise.all(Array.from({ length: 15 }, () => register(origin)));
    await Promise.all(Array.from({ length: 15 }, () => register(origin, '/register')));
    expect((await register(origin, '/register')).status).toBe(429);
  });

  test.each(['/mcp+x', '/mcp(1)', '/*', '/a:b', '/'])('counts them for any path of the resource: %s', async (path) => {
    const origin = await serve({ resourceMetadata: { resource: `http://localhost:3000${path}` } });
    const { pathname } = new URL(path, origin);
    const registration = `/.well-known/oauth-authorization-server${pathname.replace(/\/$/, '')}/client-registration`;
    const first = await register(origin, registration);
    expect(first.status).toBe(201);
    expect(first.headers.get('ratelimit')).toContain('r=29');
  });

  test.each([
    ['/mcp', {}],
    ['/', {}],
    ['/a/b', { legacyEndpoints: true }],
    ['/client-registration', {}],
  ])('counts them wherever the metadata of %s says that clients register, with %j', async (path, oauthProxy) => {
    const origin = await serve({ oauthProxy, resourceMetadata: { resource: `http://localhost:3000${path}` } });
    const metadata = await (await fetch(`${origin}/.well-known/oauth-authorization-server`)).json();
    const { pathname } = new URL((metadata as { registration_endpoint: string }).registration_endpoint);
    const response = await register(origin, pathname);
    expect(response.status).toBe(201);
    expect(response.headers.get('ratelimit')).toContain('r=29');
  });

  test.each(['/mcp', ''])(
    'counts them below the path of the resource too; the prefix that arrives is %j',
    async (prefix) => {
      const url = 'http://localhost:3000/mcp/.well-known/oauth-protected-resource';
      const origin = await serve({ resourceMetadata: { resource: 'http://localhost:3000/mcp', url } });
      const metadata = (await (await fetch(`${origin}${prefix}/.well-known/openid-configuration`)).json()) as object;
      const path = '/.well-known/oauth-authorization-server/client-registration';
      expect(metadata).toMatchObject({ registration_endpoint: `http://localhost:3000/mcp${path}` });
      const response = await register(origin, `${prefix}${path}`);
      expect(response.status).toBe(201);
      expect(response.headers.get('ratelimit')).toContain('r=29');
    },
  );

  test.each([
    ['trusted', ['127.0.0.1'], 201, 200],
    ['not trusted', ['10.0.0.0/8'], 404, 404],
  ])('registers clients at the host that a proxy forwards if it is %s', async (_what, trustProxy, ...statuses) => {
    const { issuer } = await startProviderServer(PROVIDER_BEHAVIOURS.keycloak.kind);
    const resourceMetadata = { resource: 'https://a.example/mcp' };
    const route = { hostnames: ['a.example'], ...routeAt('/mcp', { issuer, resourceMetadata }) };
    gateway = createGatewayOf([route], { trustProxy });
    const origin = `http://${(await gateway.listen('127.0.0.1'))[0]}`;
    const headers = { 'x-forwarded-host': 'a.example', 'x-forwarded-proto': 'https' };
    const registered = await register(origin, undefined, headers);
    expect([registered.status, (await fetch(origin + BASE, { headers })).status]).toEqual(statuses);
  });

  test('ends the connections of registrations during a drain, also of those that it refuses', async () => {
    const origin = await serve();
    const outcome = async () => {
      const { status, headers } = await register(origin);
      return [status, headers.get('connection')];
    };
    expect(await outcome()).toEqual([201, 'keep-alive']);
    await gateway?.drain();
    const outcomes = await Promise.all(Array.from({ length: 30 }, outcome));
    expect(new Set(outcomes.map(String))).toEqual(new Set(['201,close', '429,close']));
  });

  test('is not there with oauthProxy: false', async () => {
    const origin = await serve({ oauthProxy: false });
    expect((await fetch(origin + BASE)).status).toBe(404);
  });
});

describe('the endpoints at the root of a host', () => {
  const policy = { issuer: 'https://as.example/realms/mcp' };
  const routes = (first: object, second: object) => [
    routeAt('/a', { ...policy, ...first }),
    routeAt('/b', { ...policy, ...second }),
  ];
  const atOrigin = { oauthProxy: { legacyEndpoints: true } };
  const at = 'binds[0].listeners[0]';
  const twice = new StartupError(
    `binds[0] has legacyEndpoints twice, in ${at}.routes[0] and in ${at}.routes[1]: a host has only one /authorize, so keep it in one of them`,
  );

  test('cannot belong to two routes', () => {
    expect(() => createGatewayOf(routes(atOrigin, atOrigin))).toThrow(twice);
  });

  /** The resource is at this host, and requests come for these hosts. */
  const routeOf = (resource: string, hostnames: readonly string[]) => ({
    ...routeAt('/mcp', { ...policy, ...atOrigin, resourceMetadata: { resource: `https://${resource}/mcp` } }),
    hostnames,
  });

  test.each([
    ['one of several hosts', routeOf('a.test', ['a.test', 'c.test']), routeOf('b.test', ['b.test', 'C.test'])],
    ['every host', routeOf('a.test', []), routeOf('b.test', ['*'])],
    ['the origin of the resource', routeOf('a.test', ['a.test']), routeOf('a.test', ['b.test'])],
  ])('cannot belong to two routes that share %s', (_what, first, second) => {
    const other = { ...second, matches: [{ path: { exact: '/other' } }] };
    expect(() => createGatewayOf([first, other])).toThrow(twice);
  });

  test('are at each of two hosts on one port', async () => {
    const clients = { 'client-a': { redirectUris: ['https://client.test/cb'] } };
    const first = routeAt('/mcp', {
      ...policy,
      oauthProxy: { legacyEndpoints: true, clients },
      resourceMetadata: { resource: 'https://a.test/mcp' },
    });
    gateway = createGatewayOf([{ ...first, hostnames: ['a.test'] }, routeOf('b.test', ['b.test'])]);
    const [address] = await gateway.listen('127.0.0.1');
    const ask = async (host: string) => {
      const head = `GET /authorize?client_id=client-a HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
      const answer = await sendRaw(`http://${address}`, head);
      return [answer.slice(9, 12), answer.includes('may not use this redirect URI')];
    };
    expect(await Promise.all(['a.test', 'b.test', 'c.test'].map(ask))).toEqual([
      ['400', true],
      ['400', false],
      ['404', false],
    ]);
  });

  test.each([{ oauthProxy: { legacyEndpoints: false } }, { oauthProxy: false }, {}])(
    'may belong to one: beside %j',
    (other) => {
      gateway = createGatewayOf(routes(atOrigin, other));
    },
  );
});
