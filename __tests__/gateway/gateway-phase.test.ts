import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { answer, refusal, serveFile } from '../support/file-gateway.js';

const KEY = 'the-key-of-a-caller';
const apiKey = {
  mode: 'strict',
  keys: [{ keyHash: `sha256:${createHash('sha256').update(KEY).digest('hex')}` }],
};
const ofGateway = (listenerName?: string) => ({
  gateway: { gatewayName: 'default', gatewayNamespace: 'default', ...(listenerName && { listenerName }) },
});
const policy = (members: object, target: object = ofGateway(), phase = 'gateway') => ({
  name: { name: 'p', namespace: 'default' },
  target,
  phase,
  policy: members,
});
const allow = (...rules: string[]) => ({ authorization: { rules } });

const statusOf = async (url: string, method = 'GET', key = KEY) =>
  (await fetch(url, { method, headers: { authorization: `Bearer ${key}` } })).status;

describe('a policy of the section policies with phase: gateway', () => {
  const routes = [{ policies: answer('in') }];
  test.each([
    ['every gateway', { gateways: { default: { port: 0 } }, routes }, ofGateway()],
    ['a gateway', { gateways: { default: { port: 0 } }, routes }, ofGateway('default')],
    [
      'a listener of a gateway',
      { gateways: { default: { port: 0, listeners: [{ name: 'a' }] } }, routes },
      ofGateway('default/a'),
    ],
    ['a listener of binds', { binds: [{ port: 0, listeners: [{ name: 'a', routes }] }] }, ofGateway('a')],
    ['the section mcp', { mcp: { port: 0, targets: [{ stdio: { cmd: 'a' } }], policies: answer('in') } }, ofGateway()],
  ])('counts for each route of %s', async (_what, file, target) => {
    const { origin } = await serveFile({ ...file, policies: [policy({ apiKey }, target)] });
    expect([await statusOf(origin), await statusOf(origin, 'GET', 'another-key')]).toEqual([200, 401]);
  });

  test('answers preflight requests before the login', async () => {
    const cors = { allowOrigins: ['https://app.example'], allowMethods: ['POST'], allowHeaders: ['authorization'] };
    const { origin } = await serveFile({
      gateways: { default: { port: 0, apiKey } },
      routes,
      policies: [policy({ cors })],
    });
    const headers = { origin: 'https://app.example', 'access-control-request-method': 'POST' };
    const response = await fetch(origin, { method: 'OPTIONS', headers });
    expect(response.headers.get('access-control-allow-origin')).toBe('https://app.example');
  });

  const path = 'request.path.startsWith("/a")';
  const post = 'request.method == "POST"';
  test.each([
    ['the section policies', {}, [policy(allow(path))]],
    ['a gateway itself', allow(path), []],
  ])('its rules must allow a request, and those of the route too: %s', async (_what, ofListener, policies) => {
    const { origin } = await serveFile({
      gateways: { default: { port: 0, ...ofListener } },
      routes: [{ policies: { ...answer('in'), ...allow(post) } }],
      policies,
    });
    const statuses = [statusOf(`${origin}/a`, 'POST'), statusOf(`${origin}/a`), statusOf(`${origin}/b`, 'POST')];
    expect(await Promise.all(statuses)).toEqual([200, 403, 403]);
  });

  test('the rules of a listener and of all listeners count together', async () => {
    const { origin } = await serveFile({
      gateways: { default: { port: 0, ...allow(path) } },
      routes,
      policies: [policy(allow(post)), policy(allow('request.path == "/c"'), ofGateway('default'))],
    });
    const statuses = ['/a', '/b', '/c'].map((at) => statusOf(origin + at));
    expect(await Promise.all(statuses)).toEqual([200, 403, 200]);
  });
});

describe('refuses', () => {
  const file = (policies: object[], gateway: object = {}) => ({
    gateways: { default: { port: 1, ...gateway } },
    routes: [{ name: 'notes', policies: answer('in') }],
    policies,
  });
  const forRoute = { route: { name: 'notes', namespace: 'default' } };
  test.each([
    [
      file([policy({ apiKey }, forRoute)]),
      'policies[0].phase is "gateway", when no route is selected yet: write phase: route',
    ],
    [
      file([policy({ timeout: { requestTimeout: '1s' } })]),
      'policies[0].phase is "gateway", when timeout has no effect (only cors, jwtAuth, apiKey, authorization have): write phase: route',
    ],
    [
      file([policy({ apiKey }, ofGateway(), 'later')]),
      'policies[0].phase must be one of route, gateway, but is "later"',
    ],
    [
      file([policy({ apiKey }), policy({ apiKey })]),
      'policies[1] has apiKey for the same target as policies[0]: write it once',
    ],
    [
      file([policy({ apiKey })], { apiKey }),
      'policies[0].policy.apiKey is also in gateways.default.apiKey, and would count there too: write it once',
    ],
    [
      file([policy({ apiKey }), policy({ apiKey }, forRoute, 'route')]),
      'policies[1].policy.apiKey is also in policies[0].policy.apiKey, and would count there too: write it once',
    ],
  ])('%#', (written, message) => {
    expect(refusal(written)).toBe(message);
  });
});
