import { createServer } from 'node:http';
import express from 'express';
import { describe, expect, onTestFinished, test } from 'vitest';
import { mcpAdmin } from '../../src/admin/mcp-admin.js';
import { type McpBackend, mcpAuth, mcpStdioBackend } from '../../src/index.js';
import { createTestIssuer } from '../../src/testing/index.js';
import { adminPageAt } from '../support/admin-app.js';
import { listen, originOf, stop } from '../support/loopback-server.js';
import { fixture, NODE } from '../support/stdio-bridge.js';

interface Given {
  readonly resource?: string;
  /** The paths of backends. */
  readonly backends?: readonly string[];
  readonly serverPath?: string;
}

/** Serves an app with the page; a server of notes is at `/mcp` and at `/acme/mcp`, as behind a proxy that removes the first part of paths. */
async function serveBehindProxy({ resource, backends = [], serverPath }: Given) {
  const issuer = createTestIssuer();
  const auth = resource === undefined ? undefined : mcpAuth(issuer.policy({ resource }));
  const backend = mcpStdioBackend({ command: NODE, args: [fixture('notes-server.mjs'), '--stdio'] });
  onTestFinished(() => backend.close());
  const given = Object.fromEntries(backends.map((path) => [path, backend as unknown as McpBackend]));
  const admin = mcpAdmin({ authorize: 'loopback', auth, backends: given, serverPath });
  onTestFinished(() => admin.close());
  const app = express().use('/admin', admin);
  app.use(['/mcp', '/acme/mcp'], ...(auth === undefined ? [] : [auth]), backend);
  const server = createServer(app);
  await listen(server);
  onTestFinished(() => stop(server));
  const { get, post } = adminPageAt(`${originOf(server)}/admin/`);
  const { routes, can } = (await get('api/state')).body;
  const token = auth && issuer.tokenFor(resource?.replace('{tenant}', 'acme') ?? '');
  const toolsOf = async (route: string) => {
    const { status, body } = await post('api/tools', { route, token });
    return status === 200 ? body.tools.length : [status, body.error, body.error_description];
  };
  return { routes, can, toolsOf, post };
}

const PREFIXED = 'https://prefix.example/api/mcp';
const TENANTS = 'https://tenants.example/{tenant}/mcp';

describe('the address of a route', () => {
  test.each<[string, Given, (readonly [path: string, url: string | undefined])[]]>([
    ['a backend, with a prefix', { resource: PREFIXED, backends: ['/mcp'] }, [['/mcp', PREFIXED]]],
    [
      'a backend, with an origin',
      { resource: 'https://prefix.example', backends: ['/mcp'] },
      [['/mcp', 'https://prefix.example']],
    ],
    ['a server, with its path', { resource: PREFIXED, serverPath: '/mcp' }, [['/mcp', PREFIXED]]],
    ['a server, without its path', { resource: PREFIXED }, [['/api/mcp', PREFIXED]]],
    [
      'of several, the one with the path',
      { resource: 'https://prefix.example/mcp', backends: ['/acme/mcp', '/mcp'] },
      [
        ['/acme/mcp', undefined],
        ['/mcp', 'https://prefix.example/mcp'],
      ],
    ],
    [
      'of several with a prefix, none',
      { resource: PREFIXED, backends: ['/mcp'], serverPath: '/acme/mcp' },
      [
        ['/mcp', undefined],
        ['/acme/mcp', undefined],
      ],
    ],
    ['all tenants', { resource: TENANTS }, [['/{tenant}/mcp', undefined]]],
    ['one tenant', { resource: TENANTS, backends: ['/acme/mcp'] }, [['/acme/mcp', 'https://tenants.example/acme/mcp']]],
    ['no policy', { serverPath: '/mcp' }, [['/mcp', undefined]]],
  ])('%s', async (_what, given, expected) => {
    const { routes, can } = await serveBehindProxy(given);
    expect(routes).toMatchObject(expected.map(([id]) => ({ id, name: id })));
    expect(routes.map(({ url }: { url?: string }) => url)).toEqual(expected.map(([, url]) => url));
    expect(can.doctor).toBe(expected.some(([, url]) => url !== undefined));
  });
});

describe('tools', () => {
  test.each<[string, Given, string]>([
    ['a backend behind a proxy that removes a prefix', { resource: PREFIXED, backends: ['/mcp'] }, '/mcp'],
    ['a server behind a proxy that removes a prefix', { resource: PREFIXED, serverPath: '/mcp' }, '/mcp'],
    ['a backend of one tenant', { resource: TENANTS, backends: ['/acme/mcp'] }, '/acme/mcp'],
    ['a server without a policy', { serverPath: '/mcp' }, '/mcp'],
  ])('are listed for %s', async (_what, given, route) => {
    const { toolsOf, can } = await serveBehindProxy(given);
    expect(can.callTools).toBe(true);
    expect(await toolsOf(route)).toBe(2);
  });

  test('a path where nothing is mounted is named', async () => {
    const { toolsOf } = await serveBehindProxy({ resource: PREFIXED });
    expect(await toolsOf('/api/mcp')).toEqual([502, 'refused_by_route', 'The route answered 404 at the path /api/mcp']);
  });

  test('of all tenants at once cannot be called, and the doctor says how to check one', async () => {
    const { toolsOf, can, post } = await serveBehindProxy({ resource: TENANTS });
    expect(can).toMatchObject({ callTools: false, doctor: false, revoke: true });
    expect(await toolsOf('/{tenant}/mcp')).toEqual([
      409,
      'not_callable',
      expect.stringContaining('the name of a tenant'),
    ]);
    expect(await post('api/doctor', { route: '/{tenant}/mcp' })).toMatchObject({
      status: 409,
      body: { error: 'no_address', error_description: expect.stringContaining('run express-mcp-auth doctor URL') },
    });
  });
});
