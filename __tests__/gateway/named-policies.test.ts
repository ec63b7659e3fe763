import { describe, expect, test } from 'vitest';
import { answer, authentication, refusal, scripted, serveFile } from '../support/file-gateway.js';
import { open, post } from '../support/mcp-requests.js';
import { startRecordingTarget } from '../support/recording-target.js';

describe('backends and policies', () => {
  const backends = (url: string) => [
    {
      name: 'notes',
      mcp: { targets: [{ name: 'notes', mcp: { host: url } }] },
      policies: { backendAuth: { key: 'of-backends' } },
    },
  ];
  const start = (origin: string) => open(`${origin}/mcp`);

  test.each([
    ['that of the section backends', {}, 'of-backends'],
    ['then that of the route', { policies: { backendAuth: { key: 'of-route' } } }, 'of-route'],
    [
      'then that of the backend of the route',
      {
        policies: { backendAuth: { key: 'of-route' } },
        backends: [{ backend: 'notes', policies: { backendAuth: { key: 'of-backend' } } }],
      },
      'of-backend',
    ],
  ])('a policy of the most specific place counts: %s', async (_what, route, key) => {
    const target = await startRecordingTarget();
    const { origin } = await serveFile({
      gateways: { default: { port: 0 } },
      backends: backends(target.url),
      routes: [{ backends: [{ backend: 'notes' }], ...route }],
    });
    await start(origin);
    expect(target.arrived[0]?.headers.authorization).toBe(`Bearer ${key}`);
  });

  const policy = (target: object, members: object) => ({
    name: { name: 'p', namespace: 'default' },
    target,
    policy: members,
  });
  const forRoute = { route: { name: 'notes', namespace: 'default' } };
  const forBackend = { backend: { backend: { name: 'notes', namespace: 'default' } } };
  const forGateway = { gateway: { gatewayName: 'default', gatewayNamespace: 'default' } };

  test.each([
    ['the entry of backends comes before the section policies for the route', [forRoute], 'of-backends'],
    ['then that for the route', [forGateway, forBackend, forRoute], 'of-route'],
    ['then that for the backend', [forGateway, forBackend], 'of-backend'],
  ])('of several backendAuth, %s', async (_what, targets, key) => {
    const target = await startRecordingTarget();
    const [{ policies: ofEntry, ...entry }] = backends(target.url) as [ReturnType<typeof backends>[0]];
    const keys = new Map<object, string>([
      [forRoute, 'of-route'],
      [forBackend, 'of-backend'],
      [forGateway, 'of-gateway'],
    ]);
    const { origin } = await serveFile({
      gateways: { default: { port: 0 } },
      backends: [key === 'of-backends' ? { ...entry, policies: ofEntry } : entry],
      routes: [{ name: 'notes', backends: [{ backend: 'notes' }] }],
      policies: targets.map((each) => policy(each, { backendAuth: { key: keys.get(each) } })),
    });
    await start(origin);
    expect(target.arrived[0]?.headers.authorization).toBe(`Bearer ${key}`);
  });

  test.each([
    ['a route', forRoute, 401],
    ['a gateway', forGateway, 401],
    ['a backend', forBackend, 401],
  ])('the section policies has policies for %s', async (_what, target, status) => {
    const { origin } = await serveFile({
      gateways: { default: { port: 0 } },
      backends: backends('http://localhost:1/mcp'),
      routes: [{ name: 'notes', backends: [{ backend: 'notes' }] }],
      policies: [policy(target, authentication('http://localhost/mcp'))],
    });
    expect((await post(`${origin}/mcp`, {})).status).toBe(status);
  });

  test.each([
    [
      policy({ route: { name: 'note', namespace: 'default' } }, answer('a')),
      'policies[0] has a target that the file does not have: route "note"',
    ],
    [policy(forRoute, { ...answer('a'), timeout: {} }), 'policies[0].policy must have exactly one policy'],
    [
      policy({ gateway: { gatewayName: 'internal' } }, answer('a')),
      'policies[0].target.gateway.gatewayName must be "default": write the name of a gateway, or GATEWAY/LISTENER, as listenerName',
    ],
    [policy({}, answer('a')), 'policies[0].target must have exactly one of gateway, route and backend'],
  ])('refused policy %#', (written, message) => {
    const routes = [{ name: 'notes', backends: [{ mcp: { targets: [scripted('a')] } }] }];
    expect(refusal({ gateways: { default: { port: 1 } }, routes, policies: [written] })).toBe(message);
  });

  test('of two policies for one target none is dropped: the rules of both count, and others are refused', async () => {
    const rules = (path: string) => ({ authorization: { rules: [{ deny: `request.path == "${path}"` }] } });
    const file = (policies: object[]) => ({
      gateways: { default: { port: 0 } },
      routes: [{ name: 'notes', policies: answer('in') }],
      policies: policies.map((members) => policy(forRoute, members)),
    });
    const { origin } = await serveFile(file([rules('/a'), rules('/b')]));
    const statuses = ['a', 'b', 'c'].map(async (path) => (await fetch(`${origin}/${path}`)).status);
    expect(await Promise.all(statuses)).toEqual([403, 403, 200]);
    expect(refusal(file([{ timeout: { requestTimeout: '1s' } }, { timeout: { requestTimeout: '2s' } }]))).toBe(
      'policies[1] has timeout for the same target as policies[0]: write it once',
    );
  });
});
