import connect from 'connect';
import express, { type Express } from 'express';
import express4 from 'express4';
import request from 'supertest';
import { describe, expect, test } from 'vitest';
import { mcpAuth, protectedResourceMetadata } from '../../src/index.js';
import { ISSUER, parseChallenge } from '../support/protected-app.js';
import { createSigner } from '../support/signer.js';

const policy = { issuer: ISSUER, audiences: ['api'], jwks: { keys: [createSigner().jwk] } };
const WELL_KNOWN = '/.well-known/oauth-protected-resource';

function mount<T extends { use(...handlers: never[]): unknown }>(app: T): T {
  app.use(mcpAuth(policy) as never);
  app.use(protectedResourceMetadata(policy) as never);
  return app;
}

function behindProxy(app: Express): Express {
  app.set('trust proxy', 'loopback');
  return app;
}

async function seen(app: unknown, headers: Record<string, string>) {
  const refused = await request(app as Express)
    .get('/mcp')
    .set(headers);
  const metadata = await request(app as Express)
    .get(WELL_KNOWN)
    .set(headers);
  return {
    challenged: parseChallenge(refused.headers['www-authenticate']).resource_metadata,
    resource: metadata.body.resource,
  };
}

const forwarded = { host: 'inner:3000', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'mcp.example' };

describe('without a configured resource, challenge and metadata name the origin of the request', () => {
  test('as the Host header has it', async () => {
    const expected = { challenged: `http://inner:3000${WELL_KNOWN}`, resource: 'http://inner:3000' };
    for (const app of [express(), express4(), connect()])
      expect(await seen(mount(app as Express), forwarded)).toEqual(expected);
  });

  test('as the proxy has it, where `trust proxy` trusts the peer', async () => {
    const expected = { challenged: `https://mcp.example${WELL_KNOWN}`, resource: 'https://mcp.example' };
    for (const app of [express(), express4()]) expect(await seen(mount(behindProxy(app)), forwarded)).toEqual(expected);
  });

  test('the first of several proxies counts', async () => {
    const headers = { host: 'x', 'x-forwarded-proto': 'https, http', 'x-forwarded-host': 'a.example, b.example' };
    expect((await seen(mount(behindProxy(express())), headers)).resource).toBe('https://a.example');
  });

  test.each(['[::1]:3000', '127.0.0.1', 'my_service:80', 'xn--bcher-kva.example'])(
    'the host %s is fine',
    async (host) => {
      expect((await seen(mount(express()), { host })).resource).toBe(`http://${host}`);
    },
  );

  test.each([
    'a.com/evil',
    'a@b',
    'a b',
    'a.com:port',
    'a.com"',
    'a.com\\b',
    'a.com?x',
    'a.com#x',
    'a,b',
    '',
    'a:99999',
    '1.2.3.999',
    '[:::]',
  ])('the host %j is refused, and not repeated', async (host) => {
    const app = mount(express());
    for (const path of ['/mcp', WELL_KNOWN]) {
      const response = await request(app).get(path).set('host', host);
      expect(response.status).toBe(400);
      expect(response.body.error).toBe('invalid_request');
      expect(response.headers['www-authenticate']).toBe(
        'Bearer error="invalid_request", error_description="The Host header is not a host name with an optional port"',
      );
    }
  });

  test.each([
    ['x-forwarded-host', 'a.com/evil'],
    ['x-forwarded-proto', 'javascript'],
  ])('a trusted %s of %j is refused too', async (name, value) => {
    const response = await request(mount(behindProxy(express())))
      .get('/mcp')
      .set({ ...forwarded, [name]: value });
    expect(response.status).toBe(400);
  });
});

test('a configured resource wins over every header', async () => {
  const app = behindProxy(express());
  app.use(mcpAuth({ ...policy, resourceMetadata: { resource: 'https://real.example/mcp' } }));
  const response = await request(app).get('/mcp').set(forwarded);
  expect(response.headers['www-authenticate']).toBe(
    'Bearer resource_metadata="https://real.example/.well-known/oauth-protected-resource/mcp"',
  );
});
