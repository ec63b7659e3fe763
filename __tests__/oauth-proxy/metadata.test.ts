import * as oauth from 'oauth4webapi';
import { describe, expect, test } from 'vitest';
import { postForm, postJson, REDIRECT_URI } from '../support/oauth-proxy-client.js';
import { startOAuthProxyFlow } from '../support/oauth-proxy-flow.js';
import { PROVIDER_BEHAVIOURS } from '../support/provider-behaviours.js';

const AUTH_METHODS = ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'];
const ALGORITHMS = 'RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519'.split(' ');

describe('our metadata', () => {
  test('has our own members, the upstream members that are true here, and nothing that we do not support', async () => {
    const { base, guarded, upstream } = await startOAuthProxyFlow('keycloak');
    const response = await fetch(base);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(await response.json()).toEqual({
      issuer: guarded.resource,
      authorization_endpoint: `${base}/authorize`,
      token_endpoint: `${base}/token`,
      registration_endpoint: `${base}/client-registration`,
      revocation_endpoint: `${base}/revocation`,
      revocation_endpoint_auth_methods_supported: AUTH_METHODS,
      revocation_endpoint_auth_signing_alg_values_supported: ALGORITHMS,
      response_types_supported: ['code'],
      response_modes_supported: ['query'],
      grant_types_supported: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_methods_supported: AUTH_METHODS,
      token_endpoint_auth_signing_alg_values_supported: ALGORITHMS,
      client_id_metadata_document_supported: true,
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
      jwks_uri: `${upstream.issuer}/protocol/openid-connect/certs`,
      scopes_supported: ['openid', 'profile', 'offline_access', 'mcp.read'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
    });
  });

  test('leaves out upstream members of the wrong type, and unsafe URLs', async () => {
    const { base, upstream } = await startOAuthProxyFlow('keycloak');
    const good = {
      op_policy_uri: 'https://as.example/policy',
      scopes_supported: ['a'],
      jwks_uri: `${upstream.issuer}/k`,
    };
    const bad = {
      service_documentation: 'javascript:alert(1)',
      op_tos_uri: 'http://as.example/tos',
      claims_supported: ['sub', { a: 1 }],
      ui_locales_supported: 'en',
    };
    upstream.override(PROVIDER_BEHAVIOURS.keycloak.kind.paths.metadata[0] as string, (res) => {
      res.setHeader('content-type', 'application/json');
      const endpoints = { authorization_endpoint: `${upstream.issuer}/a`, token_endpoint: `${upstream.issuer}/t` };
      res.end(JSON.stringify({ issuer: upstream.issuer, ...endpoints, ...good, ...bad }));
    });
    const document = (await (await fetch(base)).json()) as Record<string, unknown>;
    expect(document).toMatchObject({ ...good, scopes_supported: ['a', 'mcp.read', 'offline_access'] });
    for (const name of Object.keys(bad)) expect(document).not.toHaveProperty(name);
  });

  test.each<[string, unknown, string[], string[] | undefined]>([
    ['lists none', undefined, ['mcp.read', 'mcp.write'], ['mcp.read', 'mcp.write']],
    ['has an empty list', [], ['mcp.read'], ['mcp.read']],
    ['lists its own', ['openid'], ['mcp.read'], ['openid', 'mcp.read']],
    ['lists ours too', ['openid', 'mcp.read'], ['mcp.read'], ['openid', 'mcp.read']],
    ['has a list of the wrong type', 'openid', ['mcp.read'], ['mcp.read']],
    ['lists its own, and the resource none', ['openid'], [], ['openid']],
    ['lists none, and the resource none', undefined, [], undefined],
    ['has an empty list, and the resource none', [], [], undefined],
  ])('scopes_supported has those of the resource if the server %s', async (_case, listed, scopesSupported, all) => {
    const { base, upstream } = await startOAuthProxyFlow('keycloak', 'keycloak', {
      resourceMetadata: { scopesSupported },
    });
    upstream.override(PROVIDER_BEHAVIOURS.keycloak.kind.paths.metadata[0] as string, (res) => {
      const endpoints = { authorization_endpoint: `${upstream.issuer}/a`, token_endpoint: `${upstream.issuer}/t` };
      res.setHeader('content-type', 'application/json');
      res.end(JSON.stringify({ issuer: upstream.issuer, ...endpoints, scopes_supported: listed }));
    });
    const { scopes_supported: announced } = (await (await fetch(base)).json()) as Record<string, unknown>;
    expect(announced).toEqual(all);
  });

  test.each([
    '/.well-known/oauth-authorization-server/mcp',
    '/.well-known/oauth-authorization-server',
    '/.well-known/openid-configuration/mcp',
    '/mcp/.well-known/openid-configuration',
  ])('is at %s', async (path) => {
    const { guarded } = await startOAuthProxyFlow('keycloak');
    expect(await (await fetch(guarded.origin + path)).json()).toMatchObject({ issuer: guarded.resource });
  });

  test('names a key set in OpenID metadata, which is empty if the upstream server names none', async () => {
    const { base, guarded, upstream } = await startOAuthProxyFlow('keycloak');
    const { issuer } = upstream;
    upstream.override(PROVIDER_BEHAVIOURS.keycloak.kind.paths.metadata[0] as string, (res) => {
      res.setHeader('content-type', 'application/json');
      res.end(JSON.stringify({ issuer, authorization_endpoint: `${issuer}/a`, token_endpoint: `${issuer}/t` }));
    });
    const keysAt = async (path: string) =>
      ((await (await fetch(guarded.origin + path)).json()) as Record<string, unknown>).jwks_uri;
    for (const path of ['openid-configuration/mcp', '../mcp/.well-known/openid-configuration'])
      expect(await keysAt(`/.well-known/${path}`)).toBe(`${base}/no-keys`);
    for (const path of ['oauth-authorization-server/mcp', 'oauth-authorization-server'])
      expect(await keysAt(`/.well-known/${path}`)).toBeUndefined();
    const keys = await fetch(`${base}/no-keys`);
    expect([keys.status, keys.headers.get('access-control-allow-origin'), await keys.json()]).toEqual([
      200,
      '*',
      { keys: [] },
    ]);
  });

  test.each([
    ['oauth-authorization-server/mcp', 'mcp/client-registration'],
    ['oauth-authorization-server', 'client-registration'],
    ['openid-configuration/mcp', 'mcp/client-registration'],
  ])('%s names …/%s, where a client can register', async (document, registration) => {
    const { guarded } = await startOAuthProxyFlow('keycloak');
    const response = await fetch(`${guarded.origin}/.well-known/${document}`);
    const { registration_endpoint: endpoint } = (await response.json()) as Record<string, string>;
    expect(endpoint).toBe(`${guarded.origin}/.well-known/oauth-authorization-server/${registration}`);
    const metadata = { redirect_uris: [REDIRECT_URI], token_endpoint_auth_method: 'none' };
    expect((await postJson(endpoint ?? '', metadata)).status).toBe(201);
  });

  test('is accepted by an independent client, and the resource names this server', async () => {
    const { guarded } = await startOAuthProxyFlow('auth0');
    const resource = new URL(guarded.resource);
    const insecure = { [oauth.allowInsecureRequests]: true };
    const described = await oauth.processResourceDiscoveryResponse(
      resource,
      await oauth.resourceDiscoveryRequest(resource, insecure),
    );
    expect(described.authorization_servers).toEqual([guarded.resource]);
    const discovered = await oauth.discoveryRequest(resource, { algorithm: 'oauth2', ...insecure });
    expect(await oauth.processDiscoveryResponse(resource, discovered)).toMatchObject({ issuer: guarded.resource });
  });

  test('with a shared client there are no secrets to send, and with a shared secret no revocation', async () => {
    const { base } = await startOAuthProxyFlow('entra');
    const document = (await (await fetch(base)).json()) as Record<string, unknown>;
    expect(document.token_endpoint_auth_methods_supported).toEqual(['none', 'private_key_jwt']);
    expect(document.registration_endpoint).toBe(`${base}/client-registration`);
    expect(document).not.toHaveProperty('revocation_endpoint');
  });
});

describe('paths', () => {
  test.each([
    ['GET', 'client-registration', 'POST, OPTIONS'],
    ['GET', 'token', 'POST, OPTIONS'],
    ['GET', 'revocation', 'POST, OPTIONS'],
    ['GET', 'consent', 'POST'],
    ['POST', 'authorize', 'GET, HEAD'],
    ['POST', 'callback', 'GET, HEAD'],
    ['POST', '', 'GET, HEAD, OPTIONS'],
    ['POST', 'no-keys', 'GET, HEAD, OPTIONS'],
    ['DELETE', 'token', 'POST, OPTIONS'],
  ])('%s %s answers 405', async (method, name, allow) => {
    const { base } = await startOAuthProxyFlow('keycloak');
    const response = await fetch(name === '' ? base : `${base}/${name}`, { method });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe(allow);
  });

  test.each(['', '/client-registration', '/token', '/revocation'])(
    'a page of another origin may call %j',
    async (name) => {
      const { base } = await startOAuthProxyFlow('keycloak');
      const headers = {
        origin: 'https://client.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type,mcp-protocol-version',
      };
      const response = await fetch(base + name, { method: 'OPTIONS', headers });
      expect(response.status).toBe(204);
      expect(response.headers.get('access-control-allow-origin')).toBe('*');
      expect(response.headers.get('access-control-allow-headers')).toBe('content-type,mcp-protocol-version');
      expect(response.headers.get('access-control-allow-credentials')).toBeNull();
    },
  );

  test.each([
    '/.well-known/oauth-authorization-server/mcp/tokens',
    '/.well-known/oauth-authorization-server/mcp/token/',
    '/.well-known/oauth-authorization-server/mcp//token',
    '/.well-known/oauth-authorization-server/mcp/Token',
    '/.well-known/oauth-authorization-server/mcp/%74oken',
    '/.well-known/oauth-authorization-server/evil',
    '/mcp/client-registration',
    '/mcp/token',
    '/authorize',
    '/token',
    '/register',
  ])('%s is behind the protected app', async (path) => {
    const { guarded } = await startOAuthProxyFlow('keycloak');
    expect((await fetch(guarded.origin + path)).status).toBe(401);
  });

  test('legacyEndpoints opens those of 2025-03-26', async () => {
    const flow = await startOAuthProxyFlow('entra', 'entra', { oauthProxy: { legacyEndpoints: true } });
    const { origin } = flow.guarded;
    const metadata = { redirect_uris: [REDIRECT_URI] };
    const { body } = await postJson(`${origin}/register`, metadata);
    expect(body.client_id).toEqual(expect.any(String));
    const page = await fetch(`${origin}/authorize?client_id=${body.client_id}&redirect_uri=${REDIRECT_URI}`, {
      redirect: 'manual',
    });
    expect(page.headers.get('location')).toMatch(`${REDIRECT_URI}?error=invalid_request`);
    const answer = await postForm(`${origin}/token`, { client_id: body.client_id as string, grant_type: 'x' });
    expect(answer.body.error).toBe('unsupported_grant_type');
  });
});
