import { describe, expect, test } from 'vitest';
import { createOAuthProxySeal } from '../../src/oauth-proxy/sealed-contents.js';
import { altered } from '../support/altered.js';
import { REDIRECT_URI, rawClient, redirectOf, registerClient } from '../support/oauth-proxy-client.js';
import { asAlice, SECRET, startOAuthProxyFlow, tokenRequests } from '../support/oauth-proxy-flow.js';
import type { BehaviourName } from '../support/provider-behaviours.js';
import { type Page, UserAgent } from '../support/user-agent.js';

/** Expects a page of the OAuth proxy that refuses, and no redirect: the redirect URI is not trusted. */
function expectRefusalPage({ response, html }: Page): void {
  expect(response.status).toBe(400);
  expect(response.headers.get('location')).toBeNull();
  expect(response.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect(html).toContain('This login cannot continue');
}

describe('client and redirect URI', () => {
  test('shows a page to an unknown client, an altered one, and one of another server', async () => {
    const flow = await startOAuthProxyFlow('keycloak');
    const { id } = await registerClient(flow);
    const elsewhere = createOAuthProxySeal([SECRET], ['https://other.example/mcp', flow.upstream.issuer, null]).close(
      'client',
      {
        upstreamId: 'x',
        redirectUris: [REDIRECT_URI],
        name: undefined,
        scopes: undefined,
      },
    );
    for (const client of ['x', '', altered(id, -2), elsewhere, `${id}=`]) {
      expectRefusalPage(await rawClient(flow.base, client).authorize());
    }
    expectRefusalPage(await rawClient(flow.base, id).authorize({ client_id: undefined }));
  });

  test.each([
    'https://evil.example/callback',
    'http://127.0.0.1:33418/callback/',
    'http://127.0.0.1:33418/other',
    'http://127.0.0.1:33418@evil.example/callback',
    'http://127.0.0.1:99999/callback',
    'http://localhost:33418/callback',
    'javascript:alert(1)',
    '',
    undefined,
  ])('the redirect URI %j, which is not the registered one, is shown a page', async (redirect_uri) => {
    const client = await registerClient(await startOAuthProxyFlow('keycloak'));
    expectRefusalPage(await client.authorize({ redirect_uri }));
  });

  test('shows a page for a parameter that appears twice', async () => {
    const flow = await startOAuthProxyFlow('keycloak');
    const client = await registerClient(flow);
    const url = `${client.authorizationUrl()}&redirect_uri=https%3A%2F%2Fevil.example%2F`;
    const response = await fetch(url, { redirect: 'manual' });
    expectRefusalPage({ response, html: await response.text(), url: new URL(url) });
  });

  test('another port on loopback is the same redirect URI', async () => {
    const client = await registerClient(await startOAuthProxyFlow('keycloak'));
    const back = await client.logIn({ redirect_uri: 'http://127.0.0.1:50000/callback' });
    expect(back.get('code')).toBeTruthy();
  });
});

describe('the rest of the request', () => {
  test.each<[string, Record<string, string | undefined>, string]>([
    ['no response type', { response_type: undefined }, 'invalid_request'],
    ['the implicit flow', { response_type: 'token' }, 'unsupported_response_type'],
    ['no PKCE', { code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request'],
    ['PKCE plain', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['PKCE without a method', { code_challenge_method: undefined }, 'invalid_request'],
    ['a challenge that is no SHA-256', { code_challenge: 'short' }, 'invalid_request'],
    ['another response mode', { response_mode: 'fragment' }, 'invalid_request'],
    ['a request object', { request: 'eyJhbGciOiJub25lIn0.e30.' }, 'invalid_request'],
    ['a request URI', { request_uri: 'https://evil.example/r' }, 'invalid_request'],
    ['another resource', { resource: 'https://other.example/mcp' }, 'invalid_target'],
    ['a scope with a quote', { scope: 'a "b"' }, 'invalid_scope'],
    ['a scope with a newline', { scope: 'a\nb' }, 'invalid_scope'],
    ['an endless state', { state: 'a'.repeat(5_000) }, 'invalid_request'],
  ])('%s is told to the client', async (_name, changes, error) => {
    const flow = await startOAuthProxyFlow('keycloak');
    const client = await registerClient(flow);
    const page = await client.authorize(changes);
    expect(page.response.status).toBe(303);
    const { target, parameters } = redirectOf(page);
    expect(target).toBe(REDIRECT_URI);
    expect(parameters).toEqual({
      error,
      error_description: expect.any(String),
      state: changes.state ?? 'mine',
      iss: flow.guarded.resource,
    });
  });

  test.each<[string, Record<string, string | undefined>, boolean]>([
    ['https://client.example/callback', { scope: 'a "b"' }, true],
    ['https://client.example/callback', { response_type: 'token' }, true],
    ['https://client.example/callback', { resource: 'https://other.example/mcp' }, true],
    ['https://mcp.example/callback', { scope: 'a "b"' }, false],
    ['cursor://client/callback', { scope: 'a "b"' }, false],
  ])('%s, with %j, before a login: a page is %s', async (redirect_uri, changes, isPage) => {
    const resource = 'https://mcp.example/mcp';
    const flow = await startOAuthProxyFlow('keycloak', 'keycloak', { resourceMetadata: { resource } });
    const client = await registerClient(flow, { redirect_uris: [redirect_uri] });
    const page = await client.authorize({ redirect_uri, ...changes });
    if (isPage) expectRefusalPage(page);
    else expect(redirectOf(page).target).toBe(redirect_uri);
  });

  test('once the user has acted, a client on another host is told of an outage, too', async () => {
    const flow = await startOAuthProxyFlow('entra');
    const redirect_uri = 'https://client.example/callback';
    const client = await registerClient(flow, { redirect_uris: [redirect_uri] });
    await flow.upstream.close();
    const url = client.authorizationUrl({ redirect_uri });
    const end = await new UserAgent().visit(url, asAlice, ({ href }) => href.startsWith(redirect_uri));
    expect((end as URL).searchParams.get('error')).toBe('temporarily_unavailable');
  });

  test('tells the client of an outage of the upstream server', async () => {
    const flow = await startOAuthProxyFlow('entra');
    const client = await registerClient(flow);
    await flow.upstream.close();
    const end = await new UserAgent().visit(
      client.authorizationUrl(),
      () => ({ decision: 'allow' }),
      (url) => url.href.startsWith(REDIRECT_URI),
    );
    expect(Object.fromEntries((end as URL).searchParams)).toEqual({
      error: 'temporarily_unavailable',
      error_description: 'The authorization server cannot be reached at the moment',
      state: 'mine',
      iss: flow.guarded.resource,
    });
  });
});

describe('the upstream server is asked in its own way', () => {
  const changes = { prompt: 'consent', audience: 'https://evil.example/', nonce: 'n' };
  const API = 'https://api.example/mcp';
  /** The request that each server gets if a client asks for `asks`. */
  const asked = {
    keycloak: { scope: 'mcp.read openid' },
    auth0: { scope: 'mcp.read openid', audience: API },
    okta: { scope: 'mcp.read openid', audience: API, client_id: '0oa1' },
    entra: { scope: 'api://app-id/mcp.read openid', client_id: 'app-id', prompt: undefined },
    authentik: { scope: 'mcp.read openid', client_id: 'mcp' },
    descope: { scope: 'mcp.read openid', client_id: 'P1S1', resource: 'ours' },
    cognito: { asks: 'mcp.read offline_access', scope: 'mcp.read', client_id: 'app-client' },
    clerk: { asks: 'private_metadata mcp.read', scope: 'mcp.read', client_id: 'clerk-app' },
    zitadel: { asks: 'mcp.read', scope: 'mcp.read openid', client_id: '123@project' },
    hydra: { scope: 'mcp.read openid', audience: API, client_id: 'hydra-client' },
    supabase: { asks: 'openid offline_access', scope: 'openid', client_id: 'supabase-app' },
    withoutPkce: {
      scope: 'mcp.read openid',
      client_id: 'legacy',
      code_challenge: undefined,
      code_challenge_method: undefined,
    },
  } satisfies Record<BehaviourName, Record<string, string | undefined>>;

  test.each(Object.entries(asked) as [BehaviourName, Record<string, string | undefined>][])('%s', async (name, row) => {
    const { asks = 'mcp.read openid', ...expected } = row;
    const flow = await startOAuthProxyFlow(name);
    const client = await registerClient(flow);
    await client.logIn({ ...changes, scope: asks, resource: `${flow.guarded.resource}/` });
    const request = flow.upstream.requests.find(({ form }) => form.get('response_type') === 'code');
    expect(Object.fromEntries(request?.form ?? [])).toEqual({
      response_type: 'code',
      client_id: expect.any(String),
      redirect_uri: `${flow.base}/callback`,
      code_challenge: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
      code_challenge_method: 'S256',
      state: expect.any(String),
      prompt: 'consent',
      ...expected,
      ...('resource' in expected && { resource: flow.guarded.resource }),
    });
  });
});

describe('the upstream server gets only the values of `prompt` that it knows', () => {
  test.each<[BehaviourName, string, string | undefined]>([
    ['keycloak', 'consent', 'consent'],
    ['keycloak', 'consent select_account', 'consent'],
    ['keycloak', 'login consent', 'login consent'],
    ['keycloak', 'none', 'none'],
    ['keycloak', 'select_account', undefined],
    ['keycloak', 'Consent', undefined],
    ['auth0', 'consent select_account', 'consent'],
    ['okta', 'select_account consent', 'consent'],
    ['okta', 'consent login', 'login consent'],
    ['entra', 'consent', undefined],
    ['entra', 'consent select_account', 'select_account'],
    ['entra', 'login select_account', 'login'],
    ['entra', 'none', 'none'],
    ['authentik', 'consent select_account', 'consent'],
    ['descope', 'consent select_account', 'consent'],
  ])('%s: %j as %j', async (name, prompt, expected) => {
    const flow = await startOAuthProxyFlow(name);
    await (await registerClient(flow)).logIn({ scope: 'mcp.read', prompt });
    const asked = flow.upstream.requests.find(({ form }) => form.has('code_challenge'));
    expect(asked?.form.get('prompt')).toBe(expected ?? null);
  });
});

test('adds our resource, at the login and for tokens, if the client names none', async () => {
  const flow = await startOAuthProxyFlow('descope');
  const client = await registerClient(flow);
  const code = (await client.logIn({ scope: 'mcp.read' })).get('code') ?? '';
  const { body } = await client.token({ code });
  await client.token({ grant_type: 'refresh_token', refresh_token: body.refresh_token as string });
  const { resource } = flow.guarded;
  expect(flow.upstream.requests.find(({ form }) => form.has('code_challenge'))?.form.get('resource')).toBe(resource);
  expect(tokenRequests(flow)).toMatchObject([{ resource }, { resource }]);
});
