import { describe, expect, test } from 'vitest';
import { logIn, SDKS } from '../support/mcp-login.js';
import { postJson, REDIRECT_URI } from '../support/oauth-proxy-client.js';
import { asAlice, startOAuthProxyFlow } from '../support/oauth-proxy-flow.js';

const METADATA = { client_name: 'A client', redirect_uris: [REDIRECT_URI], token_endpoint_auth_method: 'none' };

describe('forwarded', () => {
  test('the upstream server gets our callback, and the client its own redirect URIs', async () => {
    const { base, seal, upstream } = await startOAuthProxyFlow('keycloak');
    const { status, headers, body } = await postJson(`${base}/client-registration`, {
      ...METADATA,
      scope: 'profile',
      grant_types: ['client_credentials'],
      response_types: ['token'],
      jwks_uri: 'http://169.254.169.254/',
      request_uris: ['http://169.254.169.254/'],
    });
    expect(status).toBe(201);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('access-control-allow-origin')).toBe('*');
    const sealed = seal.open('client', body.client_id as string);
    expect(sealed).toEqual({ upstreamId: expect.any(String), redirectUris: [REDIRECT_URI], name: 'A client' });
    expect(body).toEqual({
      client_id: body.client_id,
      client_name: 'A client',
      redirect_uris: [REDIRECT_URI],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      scope: 'profile',
    });
    expect(upstream.registrations).toEqual([
      {
        client_name: 'A client',
        redirect_uris: [`${base}/callback`],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        application_type: 'native',
        token_endpoint_auth_method: 'none',
      },
    ]);
  });

  test('leaves out client metadata of the wrong type', async () => {
    const { base, upstream } = await startOAuthProxyFlow('auth0');
    const good = {
      client_uri: 'https://client.example',
      contacts: ['a@client.example'],
      scope: 'mcp.read',
      software_id: 'x',
    };
    const bad = {
      client_name: { a: 1 },
      logo_uri: 'javascript:alert(1)',
      tos_uri: 'http://client.example/tos',
      policy_uri: ['https://client.example'],
      software_version: 7,
    };
    const { status, body } = await postJson(`${base}/client-registration`, { ...METADATA, ...good, ...bad });
    expect(status).toBe(201);
    expect(body.client_name).toBeUndefined();
    const ours = ['redirect_uris', 'grant_types', 'response_types', 'application_type', 'token_endpoint_auth_method'];
    const passedOn = Object.entries(upstream.registrations[0] ?? {}).filter(([name]) => !ours.includes(name));
    expect(Object.fromEntries(passedOn)).toEqual(good);
    await postJson(`${base}/client-registration`, { ...METADATA, contacts: ['a', 1], scope: ['mcp.read'] });
    expect(upstream.registrations[1]).not.toHaveProperty('contacts');
    expect(upstream.registrations[1]?.scope).toBe('mcp.read offline_access');
  });

  test.each([
    ' https://client.example',
    'https://client.example\u00a0',
    'https://cli\tent.example',
    '\nhttps://client.example',
  ])('the address %j, which a URL parser trims, is not passed on', async (client_uri) => {
    const { base, upstream } = await startOAuthProxyFlow('auth0');
    expect((await postJson(`${base}/client-registration`, { ...METADATA, client_uri })).status).toBe(201);
    expect(upstream.registrations[0]).not.toHaveProperty('client_uri');
  });

  test.each([
    ['application/json; charset =utf-7', 415],
    ['application/json; charset=utf-8; charset=utf-7', 415],
    ['application/json; charset="utf-8"', 201],
  ])('a registration as %s is answered %d', async (type, status) => {
    const { base } = await startOAuthProxyFlow('auth0');
    expect((await postJson(`${base}/client-registration`, METADATA, { 'content-type': type })).status).toBe(status);
  });

  test('Keycloak does not get scope and client_uri, which its policies refuse', async () => {
    const { base, upstream } = await startOAuthProxyFlow('keycloak');
    const passed = {
      client_name: 'A client',
      logo_uri: 'https://client.example/logo',
      tos_uri: 'https://client.example/tos',
      policy_uri: 'https://client.example/policy',
      contacts: ['a@client.example'],
      software_id: 'x',
      software_version: '1',
    };
    const kept = {
      client_uri: 'https://client.example',
      scope: 'mcp.read',
      code_challenge_method: ['S256'],
      resource: 'x',
    };
    const { status } = await postJson(`${base}/client-registration`, { ...METADATA, ...passed, ...kept });
    expect(status).toBe(201);
    expect(upstream.registrations[0]).toMatchObject(passed);
    for (const name of Object.keys(kept)) expect(upstream.registrations[0]).not.toHaveProperty(name);
  });

  test.each([
    ['no secret', {}],
    ['null for a secret', { client_secret: null, client_secret_expires_at: 0 }],
    ['an empty secret', { client_secret: '' }],
  ])('a client that the server calls client_secret_basic, with %s, is public, and logs in', async (_name, secret) => {
    const { base, guarded, upstream } = await startOAuthProxyFlow('auth0');
    upstream.register({ id: 'public', redirectUri: `${base}/callback` });
    upstream.override('/oidc/register', (res) => {
      const answer = { client_id: 'public', token_endpoint_auth_method: 'client_secret_basic', ...secret };
      res.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
    const { body } = await postJson(`${base}/client-registration`, METADATA);
    expect(body.token_endpoint_auth_method).toBe('none');
    expect(body).not.toHaveProperty('client_secret');
    expect(body).not.toHaveProperty('client_secret_expires_at');
    for (const sdk of SDKS) {
      const client = await logIn(sdk, guarded.resource, asAlice);
      expect(await client.callTool('whoami')).toMatchObject({ content: [{ type: 'text' }] });
      await client.close();
    }
  });

  test('a confidential client gets the secret from the upstream server', async () => {
    const { base } = await startOAuthProxyFlow('auth0');
    const metadata = { ...METADATA, token_endpoint_auth_method: 'client_secret_basic' };
    const { body } = await postJson(`${base}/client-registration`, metadata);
    expect(body.client_secret).toMatch(/^[0-9a-f-]{36}$/);
  });

  test.each([
    ['okta', 'SSWS 00api-token', 201],
    ['okta', 'Bearer 00api-token', 401],
    ['descope', 'Bearer P1:management-key', 201],
    ['descope', undefined, 401],
  ] as const)('%s, with the credentials %j: %d', async (name, authorization, expected) => {
    const { base, upstream } = await startOAuthProxyFlow(name, undefined, { clientId: undefined });
    const { status, headers, body } = await postJson(
      `${base}/client-registration`,
      METADATA,
      authorization && { authorization },
    );
    expect(status).toBe(expected);
    if (expected === 401) expect(body).toMatchObject({ error: 'invalid_token' });
    expect(headers.get('www-authenticate')).toBe(expected === 401 ? 'Bearer' : null);
    if (authorization === 'Bearer 00api-token') {
      expect(upstream.requests.at(-1)?.authorization, 'credentials of another kind stay here').toBeUndefined();
    }
  });

  test('says so if registration is switched off', async () => {
    const { base, upstream } = await startOAuthProxyFlow('auth0');
    upstream.override('/oidc/register', (res) =>
      res.writeHead(404, { 'content-type': 'text/html' }).end('<h1>no</h1>'),
    );
    const { status, body } = await postJson(`${base}/client-registration`, METADATA);
    expect(status).toBe(403);
    expect(body).toEqual({
      error: 'invalid_client_metadata',
      error_description: 'Clients cannot register themselves here',
    });
  });
});

test('gives out a shared client without asking the upstream server', async () => {
  const { base, upstream } = await startOAuthProxyFlow('entra');
  const { status, body } = await postJson(`${base}/client-registration`, {
    ...METADATA,
    token_endpoint_auth_method: 'client_secret_post',
  });
  expect(status).toBe(201);
  expect(body).toEqual({
    client_id: expect.any(String),
    client_name: 'A client',
    redirect_uris: [REDIRECT_URI],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
    scope: 'mcp.read offline_access',
  });
  expect(upstream.requests).toEqual([]);
});

describe('refused', () => {
  const uris = (redirect_uris: unknown) => ({ ...METADATA, redirect_uris });
  test.each<[string, unknown, number, string]>([
    ['no JSON', '{', 400, 'invalid_client_metadata'],
    ['a list', [], 400, 'invalid_client_metadata'],
    ['null', 'null', 400, 'invalid_client_metadata'],
    [
      'a member twice',
      `{"redirect_uris":["${REDIRECT_URI}"],"redirect_uris":["https://evil.example/"]}`,
      400,
      'invalid_client_metadata',
    ],
    ['no redirect URIs', {}, 400, 'invalid_redirect_uri'],
    ['an empty list', uris([]), 400, 'invalid_redirect_uri'],
    ['a string', uris(REDIRECT_URI), 400, 'invalid_redirect_uri'],
    ['javascript:', uris(['javascript:alert(1)']), 400, 'invalid_redirect_uri'],
    ['a fragment', uris(['https://a.example/#b']), 400, 'invalid_redirect_uri'],
    ['plain http elsewhere', uris(['http://a.example/']), 400, 'invalid_redirect_uri'],
    ['a good and a bad one', uris([REDIRECT_URI, 'file:///etc/passwd']), 400, 'invalid_redirect_uri'],
    ['a number', uris([1]), 400, 'invalid_redirect_uri'],
    ['eleven', uris(Array(11).fill(REDIRECT_URI)), 400, 'invalid_redirect_uri'],
    [
      'an unknown way to authenticate',
      { ...METADATA, token_endpoint_auth_method: 'private_key_jwt' },
      400,
      'invalid_client_metadata',
    ],
    ['too much', { ...METADATA, client_name: 'a'.repeat(20_000) }, 413, 'invalid_request'],
  ])('%s', async (_name, metadata, expected, error) => {
    const { base, upstream } = await startOAuthProxyFlow('entra');
    const { status, body } = await postJson(`${base}/client-registration`, metadata);
    expect({ status, error: body.error }).toEqual({ status: expected, error });
    expect(upstream.requests).toEqual([]);
  });

  test('of a client that signs: it may use a metadata document, as our metadata says', async () => {
    const { base } = await startOAuthProxyFlow('entra');
    const metadata = { ...METADATA, token_endpoint_auth_method: 'private_key_jwt' };
    expect((await postJson(`${base}/client-registration`, metadata)).body.error_description).toBe(
      'token_endpoint_auth_method must be one of none, client_secret_basic, client_secret_post. ' +
        'A client with keys does not register: its client_id is the URL of its client metadata document',
    );
  });

  test('a form', async () => {
    const { base } = await startOAuthProxyFlow('entra');
    const response = await fetch(`${base}/client-registration`, {
      method: 'POST',
      body: new URLSearchParams(METADATA as never),
    });
    expect(response.status).toBe(415);
  });
});
