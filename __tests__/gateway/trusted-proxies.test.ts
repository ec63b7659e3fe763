import { expect, test } from 'vitest';
import { scripted, serveFile } from '../support/file-gateway.js';
import { open, post } from '../support/mcp-requests.js';
import { startRecordingTarget } from '../support/recording-target.js';

const forwarded = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'a.example', 'x-forwarded-for': '203.0.113.7' };

const serve = (config: object, policies: object, more: object = {}) =>
  serveFile({
    config,
    gateways: { default: { port: 0 } },
    routes: [
      { policies, ...more },
      { hostnames: ['a.example'], policies: { directResponse: { status: 200, body: 'a' } }, ...more },
    ],
  });

test.each([
  [{ trustProxy: ['127.0.0.1'] }, 'a'],
  [{ trustProxy: ['10.0.0.0/8'] }, 'other'],
  [{}, 'other'],
])('with %j a forwarded host chooses the route %s', async (config, body) => {
  const { origin } = await serve(config, { directResponse: { status: 200, body: 'other' } });
  expect(await (await fetch(origin, { headers: forwarded })).text()).toBe(body);
});

test.each([
  [{ trustProxy: ['127.0.0.1'] }, 'https://a.example/'],
  [{}, 'ORIGIN/'],
])('with %j a redirect has the forwarded address', async (config, location) => {
  const { origin } = await serveFile({
    config,
    mcp: { port: 0, targets: [scripted('only')], policies: { requestRedirect: {} } },
  });
  const response = await fetch(origin, { headers: forwarded, redirect: 'manual' });
  expect(response.headers.get('location')?.replace(origin, 'ORIGIN')).toBe(location);
});

test.each([
  [{ trustProxy: ['127.0.0.1'] }, 200],
  [{}, 403],
])('with %j a rule about source.address decides %i', async (config, status) => {
  const authorization = { rules: ['source.address == "203.0.113.7"'] };
  const { origin } = await serveFile({
    config,
    mcp: { port: 0, targets: [scripted('only')], policies: { authorization, directResponse: { status: 200 } } },
  });
  expect((await fetch(origin, { headers: forwarded })).status).toBe(status);
});

test('requests reach targets as before, and the challenge has the forwarded origin', async () => {
  const target = await startRecordingTarget();
  const trustProxy = ['127.0.0.1'];
  const { origin } = await serveFile({
    config: { trustProxy },
    mcp: { port: 0, targets: [{ mcp: { host: target.url } }] },
  });
  await open(`${origin}/mcp`);
  expect(target.arrived.length).toBe(1);
  const mcpAuthentication = { issuer: 'https://issuer.test', audiences: ['a'], jwks: { url: 'http://127.0.0.1:1/' } };
  const secured = await serveFile({
    config: { trustProxy },
    mcp: { port: 0, targets: [scripted('only')], policies: { mcpAuthentication } },
  });
  const response = await post(`${secured.origin}/mcp`, {}, forwarded);
  expect(response.headers.get('www-authenticate')).toContain('https://a.example/.well-known/');
});

test('what is no address is refused', async () => {
  await expect(serve({ trustProxy: ['proxy.example'] }, { directResponse: { status: 200 } })).rejects.toThrow(
    'config.trustProxy must list addresses or networks: invalid IP address: proxy.example',
  );
});
