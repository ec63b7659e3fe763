import express from 'express';
import request from 'supertest';
import { describe, expect, test } from 'vitest';
import { principalOf, userOf } from '../../src/core/principal.js';
import {
  type AuthDecision,
  getAuth,
  type McpAuthOptions,
  mcpAuth,
  protectedResourceMetadata,
} from '../../src/index.js';
import { good } from '../support/good-policy.js';
import { serve } from '../support/loopback-server.js';
import { claims, createProtectedApp, parseChallenge } from '../support/protected-app.js';
import { sendRaw } from '../support/raw-request.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { createSigner } from '../support/signer.js';

const ORIGIN = 'https://mcp.example';
const TEMPLATE = `${ORIGIN}/{tenant}/mcp`;
const resourceOf = (tenant: string) => `${ORIGIN}/${tenant}/mcp`;
const metadataOf = (tenant: string) => `${ORIGIN}/.well-known/oauth-protected-resource/${tenant}/mcp`;

const signer = createSigner();
const tokenFor = (aud: unknown, changes = {}) => `Bearer ${signer.sign(claims({ aud, ...changes }))}`;
const open = (options: Record<string, unknown> = {}) =>
  createProtectedApp({ resourceMetadata: { resource: TEMPLATE }, ...options }, signer);

const MODES = ['strict', 'optional', 'permissive'];

describe('a resource for each tenant', () => {
  test('the challenge names the metadata of the path that was asked for', async () => {
    const { get } = open();
    for (const tenant of ['acme', 'globex', 'a', 'A.b_c~d-9', 'x'.repeat(64)]) {
      const { status, headers } = await get(undefined, `/${tenant}/mcp`);
      expect(status).toBe(401);
      expect(parseChallenge(headers['www-authenticate']).resource_metadata).toBe(metadataOf(tenant));
      const wrong = await get('Bearer bad', `/${tenant}/mcp?x=1`);
      expect(parseChallenge(wrong.headers['www-authenticate']).resource_metadata).toBe(metadataOf(tenant));
    }
  });

  test.each(['acme', 'Globex', '__proto__', 'constructor'])('the document of %s names it', async (tenant) => {
    const { status, body } = await open().get(undefined, `/.well-known/oauth-protected-resource/${tenant}/mcp`);
    expect([status, body.resource]).toEqual([200, resourceOf(tenant)]);
  });

  test.each([
    '/.well-known/oauth-protected-resource',
    '/.well-known/oauth-protected-resource/',
    '/.well-known/oauth-protected-resource/mcp',
    '/.well-known/oauth-protected-resource/acme/mcp/',
    '/.well-known/oauth-protected-resource/acme/MCP',
    '/.well-known/oauth-protected-resource/acme/mcp/x',
    '/.well-known/oauth-protected-resource/acme/x/mcp',
    '/.well-known/oauth-protected-resource//mcp',
    '/.well-known/oauth-protected-resource/./mcp',
    '/.well-known/oauth-protected-resource/../mcp',
    '/.well-known/oauth-protected-resource/a%2Fb/mcp',
    '/.well-known/oauth-protected-resource/a%20b/mcp',
    '/.well-known/oauth-protected-resource/{tenant}/mcp',
    '/.well-known/oauth-protected-resource/acme;x/mcp',
    '/.well-known/oauth-protected-resource/acme@evil/mcp',
    '/.well-known/oauth-protected-resource-evil/acme/mcp',
    '/acme/.well-known/oauth-protected-resource/mcp',
  ])('no document is public at %s', async (path) => {
    const { app } = open();
    expect(await rawStatus(app, path)).toBe(401);
  });

  test('no document is public for a tenant of 65 characters', async () => {
    const path = `/.well-known/oauth-protected-resource/${'x'.repeat(65)}/mcp`;
    expect((await open().get(undefined, path)).status).toBe(401);
  });

  test.each(MODES)('a token is good for its own tenant and no other, in mode %s', async (mode) => {
    const { get } = open({ mode });
    const token = tokenFor(resourceOf('acme'));
    for (const _ of [1, 2]) {
      const { status, body } = await get(token, '/acme/mcp');
      expect([status, body.tenant, body.resource]).toEqual([200, 'acme', resourceOf('acme')]);
      const other = await get(token, '/globex/mcp');
      if (mode === 'permissive') expect(other.body).toMatchObject({ anonymous: true, authorization: null });
      else expect(other.body.error_description).toBe('The token is meant for another audience');
    }
  });

  test('a token for two tenants is a user of its own at each, and remembered for each', async () => {
    const cached: boolean[] = [];
    const onDecision = (decision: AuthDecision) => void cached.push(decision.cached);
    const { get } = open({ onDecision });
    const token = tokenFor([resourceOf('acme'), resourceOf('globex')]);
    for (const tenant of ['acme', 'globex', 'acme', 'globex']) {
      expect((await get(token, `/${tenant}/mcp`)).body.resource).toBe(resourceOf(tenant));
    }
    expect(cached).toEqual([false, false, true, true]);
  });

  test('a revoked token is refused at every tenant', async () => {
    const { get, auth } = open();
    const token = tokenFor([resourceOf('acme'), resourceOf('globex')]);
    for (const tenant of ['acme', 'globex']) expect((await get(token, `/${tenant}/mcp`)).status).toBe(200);
    auth.revoke(token.slice('Bearer '.length));
    for (const tenant of ['acme', 'globex']) expect((await get(token, `/${tenant}/mcp`)).status).toBe(401);
  });

  test.each([
    ['/acme/mcp', 'acme'],
    ['/acme/mcp/', 'acme'],
    ['/acme/MCP', 'acme'],
    ['/acme/mcp/messages?x=/globex/mcp', 'acme'],
    ['/ACME/mcp', 'ACME'],
    ['/acme/mcp/.x/x../...', 'acme'],
  ])('%s is of tenant %s, as Express routes it', async (path, tenant) => {
    const { get } = open();
    expect((await get(tokenFor(resourceOf(tenant)), path)).body.tenant).toBe(tenant);
  });

  test.each([
    '/',
    '/mcp',
    '//mcp',
    '/acme',
    '/acme/mcpx',
    '/acme/x/mcp',
    '//acme/mcp',
    '/./mcp',
    '/../mcp',
    '/%61cme/mcp',
    '/ac%2fme/mcp',
    '/acme;x/mcp',
    '/{tenant}/mcp',
    '/%7Btenant%7D/mcp',
    `/${'x'.repeat(65)}/mcp`,
    '/acme/mcp/../../globex/mcp',
    '/acme/mcp/..',
    '/acme/mcp/.%2E/%2e%2e/globex/mcp',
    '/acme/mcp/\\..\\..\\globex\\mcp',
    '/acme/mcp/..%2f..%2Fglobex%2Fmcp',
    '/acme/mcp/x%5c..%5C..%5c..%5Cglobex',
    '/acme/mcp/..;/..;/globex/mcp',
  ])('no token is good for a path without a tenant: %s', async (path) => {
    // Of any audience: the path has no resource that a token could be meant for.
    for (const audiences of [undefined, ['api'], [TEMPLATE]]) {
      const { app } = open({ audiences });
      for (const aud of [[resourceOf('acme'), 'api', TEMPLATE], resourceOf('{tenant}')]) {
        expect(await rawStatus(app, path, tokenFor(aud))).toBe(401);
      }
    }
  });

  test('its challenge there names no metadata, which there is none of', async () => {
    const { get } = open();
    expect((await get(undefined, '/mcp')).headers['www-authenticate']).toBe('Bearer');
  });

  test('{tenant} in audiences is that of the path', async () => {
    const { get } = open({ audiences: ['api://{tenant}'] });
    expect((await get(tokenFor('api://acme'), '/acme/mcp')).status).toBe(200);
    expect((await get(tokenFor('api://acme'), '/globex/mcp')).status).toBe(401);
    expect((await get(tokenFor('api://{tenant}'), '/acme/mcp')).status).toBe(401);
  });

  test('one audience for all: the same token is another user at each tenant', async () => {
    const [users, principals] = [new Set<unknown>(), new Set<unknown>()];
    const app = express();
    app.use(
      mcpAuth({
        ...good,
        jwks: { keys: [signer.jwk] },
        audiences: ['api'],
        resourceMetadata: { resource: TEMPLATE },
      } as McpAuthOptions),
    );
    app.use((req, res) => {
      users.add(userOf(getAuth(req)));
      principals.add(principalOf(req, getAuth(req)));
      res.end();
    });
    for (const tenant of ['acme', 'globex', 'acme']) {
      await request(app).get(`/${tenant}/mcp`).set('authorization', tokenFor('api')).expect(200);
    }
    expect([users.size, principals.size]).toEqual([2, 2]);
  });

  test('the root serves no document, nor that of another resource of the origin', async () => {
    const { lines, logger } = createRecordingLogger();
    const origin = 'https://several.example';
    const policyFor = (resource: string) => ({ ...good, logger, resourceMetadata: { resource } }) as McpAuthOptions;
    const app = express().use(
      protectedResourceMetadata(policyFor(`${origin}/{tenant}/mcp`)),
      protectedResourceMetadata(policyFor(`${origin}/one`)),
    );
    await request(app).get('/.well-known/oauth-protected-resource').expect(404);
    await request(app).get('/.well-known/oauth-protected-resource/one').expect(200);
    await request(app).get('/.well-known/oauth-protected-resource/acme/mcp').expect(200);
    expect(lines).toEqual([expect.stringContaining('has several resources')]);
  });

  test('the log never has the token, and says that the path has no tenant', async () => {
    const { lines, logger } = createRecordingLogger();
    const token = tokenFor(resourceOf('acme'));
    await open({ logger }).get(token, '/mcp');
    expect(lines.join('\n')).toContain('the path of the request names no tenant');
    expect(lines.join('\n')).not.toContain(token.slice(-20));
  });
});

const TENANT_FIX = 'Write "https://mcp.example.com/{tenant}/mcp".';

test.each([
  'https://{tenant}.example/mcp',
  'https://mcp.example/{tenant}/{tenant}',
  'https://mcp.example/x{tenant}/mcp',
  'https://mcp.example/{tenant}x',
  'https://mcp.example//{tenant}',
])('a resource of %s is refused', (resource) => {
  expect(() => mcpAuth({ ...good, resourceMetadata: { resource } } as McpAuthOptions)).toThrow(
    `mcpAuth(): option "resourceMetadata.resource" must be a URL with {tenant} once, as a whole segment of its path, but got "${resource}". ${TENANT_FIX}`,
  );
});

test.each<[string, unknown]>([
  ['apiKeys', () => undefined],
  ['introspection', { clientId: 'a', clientSecret: 'b', endpoint: 'https://as.example/introspect' }],
  ['verifiers', [async () => undefined]],
])('%s for each tenant is refused: only a JWT names its tenant', (option, value) => {
  expect(() =>
    mcpAuth({ ...good, resourceMetadata: { resource: TEMPLATE }, [option]: value } as McpAuthOptions),
  ).toThrow(
    `mcpAuth(): option "${option}" must be left out where the resource has {tenant}: only JWTs name the tenant that they are for. Write one policy for each tenant.`,
  );
});

test('an OAuth proxy for each tenant is refused', () => {
  const options = { issuer: 'https://kc.example/realms/a', provider: 'keycloak', audiences: ['api'] };
  expect(() => mcpAuth({ ...options, resourceMetadata: { resource: TEMPLATE } } as McpAuthOptions)).toThrow(
    `mcpAuth(): option "resourceMetadata.resource" must be without {tenant} where "provider" is given, since the OAuth proxy is one authorization server, but got "${TEMPLATE}". Set oauthProxy to false, so that clients log in at the issuer itself, or write one policy for each tenant.`,
  );
});

/** The status for a request target as it is, which clients would normalize. */
async function rawStatus(app: express.Express, target: string, authorization?: string): Promise<number> {
  const credentials = authorization === undefined ? '' : `Authorization: ${authorization}\r\n`;
  const text = `GET ${target} HTTP/1.1\r\nHost: mcp.example\r\nConnection: close\r\n${credentials}\r\n`;
  return Number((await sendRaw(await serve(app), text)).split(' ')[1]);
}
