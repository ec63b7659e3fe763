import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { UpstreamError } from '../../src/core/errors.js';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { answerFailure, createGateway, type Gateway } from '../../src/gateway/gateway.js';
import { AUTHENTICATION, type GatewayFolder, makeGatewayFolder } from '../support/gateway-folder.js';
import { serve as serveOnce } from '../support/loopback-server.js';

let folder: GatewayFolder;
beforeAll(async () => {
  folder = await makeGatewayFolder();
  return () => folder.remove();
});

let gateway: Gateway | undefined;
let lines: string[] = [];
afterEach(async () => {
  await gateway?.close();
  gateway = undefined;
  lines = [];
});

const note = (line: string) => void lines.push(line);
const logger = { debug: () => undefined, info: note, warn: note, error: note };

/** Starts a gateway with these routes on one port; resolves to its origin. The backend is a program that never answers. */
async function serve(...routes: object[]): Promise<string> {
  const stdio = { cmd: process.execPath, args: ['-e', 'process.stdin.resume()'] };
  const backends = [{ mcp: { targets: [{ stdio }] } }];
  const listeners = [{ routes: routes.map((route) => ({ backends, ...route })) }];
  const config = parseConfigFile(JSON.stringify({ binds: [{ port: 0, listeners }] }), folder.path);
  gateway = createGateway(config, logger);
  const [address] = await gateway.listen('127.0.0.1');
  return `http://${address}`;
}

const exact = (path: string) => ({ matches: [{ path: { exact: path } }] });
const prefix = (path: string) => ({ matches: [{ path: { pathPrefix: path } }] });
const protectedBy = (resource: string, more: object = {}) => ({
  policies: { mcpAuthentication: { ...AUTHENTICATION, resourceMetadata: { resource } }, ...more },
});

const authenticatedBy = (members: object) => ({ policies: { mcpAuthentication: { ...AUTHENTICATION, ...members } } });

const statusOf = async (url: string, init?: RequestInit) => (await fetch(url, init)).status;

describe('the gateway', () => {
  test('answers 404 with JSON if no route matches the path, without naming itself', async () => {
    const origin = await serve({ ...exact('/mcp'), ...protectedBy('http://localhost/mcp') });
    const response = await fetch(`${origin}/other`, { method: 'POST' });
    expect(response.status).toBe(404);
    expect(response.headers.get('content-type')).toMatch(/^application\/json/);
    expect(response.headers.has('x-powered-by')).toBe(false);
    expect(await response.json()).toEqual({
      error: 'not_found',
      error_description: 'No route matches this path',
    });
  });

  test('serves a resource for each tenant below one prefix', async () => {
    const origin = await serve({ ...prefix('/'), ...protectedBy('https://mcp.example/{tenant}/mcp') });
    for (const tenant of ['acme', 'globex']) {
      const refusal = await fetch(`${origin}/${tenant}/mcp`, { method: 'POST' });
      const document = `/.well-known/oauth-protected-resource/${tenant}/mcp`;
      expect(refusal.headers.get('www-authenticate')).toBe(`Bearer resource_metadata="https://mcp.example${document}"`);
      expect(await (await fetch(origin + document)).json()).toMatchObject({
        resource: `https://mcp.example/${tenant}/mcp`,
      });
    }
    expect(await statusOf(`${origin}/other`, { method: 'POST' })).toBe(401);
  });

  test.each(['/mcp/', '//mcp', '/MCP', '/%6dcp', '/mcp;x', '/mcp/client-registration'])(
    'does not treat %s as /mcp',
    async (path) => {
      const origin = await serve({ ...exact('/mcp'), ...protectedBy('http://localhost/mcp') });
      expect(await statusOf(`${origin}/mcp?query`, { method: 'POST' })).toBe(401);
      expect(await statusOf(origin + path, { method: 'POST' })).toBe(404);
    },
  );

  test('uses the policy of each route', async () => {
    const origin = await serve(
      { ...exact('/a'), ...protectedBy('http://localhost/a') },
      { ...prefix('/b'), ...protectedBy('http://localhost/b') },
    );
    for (const [path, metadata] of [
      ['/a', '/.well-known/oauth-protected-resource/a'],
      ['/b', '/.well-known/oauth-protected-resource/b'],
      ['/b/deeper', '/.well-known/oauth-protected-resource/b'],
    ]) {
      const response = await fetch(origin + path, { method: 'POST' });
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toBe(`Bearer resource_metadata="http://localhost${metadata}"`);
    }
  });

  test('serves the metadata of every route, although matches list none of its paths', async () => {
    const origin = await serve(
      { ...exact('/a'), ...protectedBy('http://localhost/a') },
      { ...exact('/b'), ...protectedBy('http://localhost/b') },
    );
    for (const path of ['/a', '/b']) {
      const response = await fetch(`${origin}/.well-known/oauth-protected-resource${path}`);
      expect(await response.json()).toHaveProperty('resource', `http://localhost${path}`);
    }
  });

  test.each([
    ['without mcpAuthentication', {}, 400, 400],
    ['in permissive mode', authenticatedBy({ mode: 'permissive' }), 400, 400],
    ['in optional mode', authenticatedBy({ mode: 'optional' }), 400, 401],
    ['in strict mode', authenticatedBy({ mode: 'strict' }), 401, 401],
    ['without a mode', authenticatedBy({}), 401, 401],
  ])('%s, only anonymous callers that the file allows reach the backend', async (_what, route, none, bad) => {
    const origin = await serve(route);
    // The backend answers 400 to a request without a session.
    expect(await statusOf(`${origin}/mcp`)).toBe(none);
    expect(await statusOf(`${origin}/mcp`, { headers: { authorization: 'Bearer a.b.c' } })).toBe(bad);
  });

  test('answers 503 with Retry-After and no challenge if the keys cannot be fetched', async () => {
    const jwks = { url: 'http://127.0.0.1:1/jwks' };
    const origin = await serve(authenticatedBy({ jwks }));
    const headers = { authorization: `Bearer ${folder.token()}` };
    const response = await fetch(`${origin}/mcp`, { method: 'POST', headers });
    expect(response.status).toBe(503);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(response.headers.has('www-authenticate')).toBe(false);
    expect(await response.json()).toEqual({
      error: 'key_set_unavailable',
      error_description: 'The keys that verify tokens cannot be read at the moment',
    });
    expect(lines.join('\n')).toContain('POST /mcp failed: The keys that verify tokens cannot be read at the moment');
    expect(lines.join('\n')).not.toContain(headers.authorization.slice(7));
  });
});

describe('policies.cors', () => {
  const browser = (origin: string, method: string) => ({
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': method,
      'access-control-request-headers': 'authorization,content-type',
    },
  });
  const corsHeaders = (response: Response) =>
    Object.fromEntries([...response.headers].filter(([name]) => name.startsWith('access-control-')));

  test('answers a preflight without a token, and lets a page read the challenge', async () => {
    const cors = {
      allowOrigins: ['*'],
      allowHeaders: ['*'],
      allowMethods: ['POST'],
      exposeHeaders: ['WWW-Authenticate'],
    };
    const origin = await serve(protectedBy('http://localhost/mcp', { cors: { ...cors, maxAge: '10m' } }));
    const preflight = await fetch(`${origin}/mcp`, browser('https://app.example', 'POST'));
    expect(preflight.status).toBe(204);
    expect(corsHeaders(preflight)).toEqual({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'authorization,content-type',
      'access-control-expose-headers': 'WWW-Authenticate',
      'access-control-max-age': '600',
    });
    const refusal = await fetch(`${origin}/mcp`, { method: 'POST', headers: { origin: 'https://app.example' } });
    expect(refusal.status).toBe(401);
    expect(corsHeaders(refusal)).toEqual({
      'access-control-allow-origin': '*',
      'access-control-expose-headers': 'WWW-Authenticate',
    });
  });

  test('allows a listed origin with credentials, and no other origin', async () => {
    const cors = { allowOrigins: ['https://app.example', 'https://b.example'], allowCredentials: true };
    const origin = await serve(protectedBy('http://localhost/mcp', { cors }));
    expect(corsHeaders(await fetch(`${origin}/mcp`, browser('https://b.example', 'POST')))).toEqual({
      'access-control-allow-origin': 'https://b.example',
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'GET,HEAD,POST',
      'access-control-max-age': '600',
    });
    const other = await fetch(`${origin}/mcp`, browser('https://evil.example', 'POST'));
    expect(other.headers.has('access-control-allow-origin')).toBe(false);
    expect(other.headers.get('vary')).toContain('Origin');
  });

  test('passes listed origins to the backend, and warns of headers that a browser cannot read', async () => {
    const cors = { allowOrigins: ['https://app.example'] };
    const origin = await serve(protectedBy('http://localhost/mcp', { cors }));
    expect(lines).toContain(
      'binds[0].listeners[0].routes[0].policies.cors: mcpCors(): ' +
        'exposeHeaders lacks "WWW-Authenticate": a client in a browser cannot find out where to log in',
    );
    const headers = { authorization: `Bearer ${folder.token()}` };
    const from = (page: string) => statusOf(`${origin}/mcp`, { headers: { ...headers, origin: page } });
    expect(await from('https://app.example')).toBe(400);
    expect(await from('https://evil.example')).toBe(403);
  });

  test.each([
    ['strict', ['*'], 400],
    ['strict', ['https://*.example'], 400],
    ['optional', ['*'], 403],
    ['permissive', ['*'], 403],
  ])(
    'in %s mode, allowOrigins %j lets a foreign page reach the backend on loopback: %i',
    async (mode, origins, status) => {
      const route = protectedBy('http://localhost/mcp', { cors: { allowOrigins: origins } });
      const origin = await serve({
        policies: { ...route.policies, mcpAuthentication: { ...route.policies.mcpAuthentication, mode } },
      });
      const headers = { authorization: `Bearer ${folder.token()}`, origin: 'https://page.example' };
      // 400 is the answer to a GET without a session that has passed the origin check.
      expect(await statusOf(`${origin}/mcp`, { headers })).toBe(status);
    },
  );

  test('allows no origin if it lists none', async () => {
    const origin = await serve(protectedBy('http://localhost/mcp', { cors: { allowHeaders: ['*'] } }));
    const preflight = await fetch(`${origin}/mcp`, browser('https://app.example', 'POST'));
    expect(preflight.headers.has('access-control-allow-origin')).toBe(false);
  });
});

describe('a failure', () => {
  async function answerTo(error: unknown): Promise<Response> {
    const origin = await serveOnce((req, res) => answerFailure(logger, error, req, res));
    return fetch(`${origin}/mcp?secret`);
  }

  test('that is unexpected is answered with 500 and explained only in the log', async () => {
    const response = await answerTo(new Error('the disk is full', { cause: new Error('ENOSPC') }));
    expect([response.status, await response.json()]).toEqual([
      500,
      { error: 'server_error', error_description: 'The gateway failed' },
    ]);
    expect(lines).toEqual(['GET /mcp failed: the disk is full (ENOSPC)']);
  });

  test('of another server is answered with 503 and Retry-After', async () => {
    const response = await answerTo(new UpstreamError('key_set_unavailable', { retryAfterSeconds: 7 }));
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '7']);
  });
});
