import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { startGuardedServer } from '../support/guarded-server.js';
import { postJson, REDIRECT_URI, rawClient } from '../support/oauth-proxy-client.js';
import { type OAuthProxyFlow, SECRET, startOAuthProxyFlow } from '../support/oauth-proxy-flow.js';
import { atOidcServer, startOidcServer } from '../support/oidc-server.js';
import type { BehaviourName } from '../support/provider-behaviours.js';
import { UserAgent } from '../support/user-agent.js';

const METADATA = { redirect_uris: [REDIRECT_URI], token_endpoint_auth_method: 'none' };

const register = ({ base }: Pick<OAuthProxyFlow, 'base'>, members: object = {}) =>
  postJson(`${base}/client-registration`, { ...METADATA, ...members });

const start = (name: BehaviourName, policy: object = {}, scopesSupported: readonly string[] = ['mcp.read']) =>
  startOAuthProxyFlow(name, undefined, { requiredScopes: undefined, resourceMetadata: { scopesSupported }, ...policy });

describe('the server gets, and the answer names', () => {
  const FILLED_IN = 'mcp.read offline_access';
  test.each<[string, BehaviourName, object, string | undefined, string | undefined]>([
    ['auth0', 'auth0', {}, FILLED_IN, FILLED_IN],
    ['auth0, empty', 'auth0', { scope: '' }, FILLED_IN, FILLED_IN],
    ['auth0, only spaces', 'auth0', { scope: '  ' }, FILLED_IN, FILLED_IN],
    ['auth0, of the wrong type', 'auth0', { scope: ['mcp.write'] }, FILLED_IN, FILLED_IN],
    ['auth0, named by the client', 'auth0', { scope: 'profile mcp.write' }, 'profile mcp.write', 'profile mcp.write'],
    ['Keycloak, which must not get any', 'keycloak', {}, undefined, FILLED_IN],
    ['Keycloak, named by the client', 'keycloak', { scope: 'profile' }, undefined, 'profile'],
    ['Entra, where all share one client', 'entra', {}, undefined, 'mcp.read'],
    ['Entra, named by the client', 'entra', { scope: 'profile' }, undefined, 'profile'],
  ])('%s', async (_case, name, members, sent, answered) => {
    const flow = await start(name);
    const { status, body } = await register(flow, members);
    expect([status, body.scope]).toEqual([201, answered]);
    expect(flow.upstream.registrations[0]?.scope).toBe(sent);
  });
});

describe('a registration without scope gets the scopes that the policy knows', () => {
  test.each<[string, object, string[], string | undefined]>([
    ['scopesSupported', {}, ['mcp.read', 'mcp.write'], 'mcp.read mcp.write offline_access'],
    ['scopesSupported with offline_access', {}, ['offline_access', 'mcp.read'], 'offline_access mcp.read'],
    ['requiredScopes', { requiredScopes: ['mcp.call'] }, [], 'mcp.call offline_access'],
    ['challengeScopes', { challengeScopes: ['mcp.list'] }, ['mcp.read'], 'mcp.read mcp.list offline_access'],
    ['none', {}, [], undefined],
  ])('%s', async (_case, policy, scopesSupported, expected) => {
    const flow = await start('auth0', policy, scopesSupported);
    expect((await register(flow)).body.scope).toBe(expected);
    expect(flow.upstream.registrations[0]?.scope).toBe(expected);
    const document = (await (await fetch(flow.base)).json()) as { scopes_supported: string[] };
    expect(document.scopes_supported).toEqual(expect.arrayContaining(expected?.split(' ') ?? []));
  });
});

const answerWith =
  (members: object, status = 201) =>
  (res: ServerResponse) =>
    void res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(members));

describe('the answer names what the server has registered', () => {
  test.each<[string, object, unknown, string | undefined]>([
    ['other scopes', {}, 'openid offline', 'openid offline'],
    ['fewer', { scope: 'mcp.read mcp.write' }, 'mcp.read', 'mcp.read'],
    ['no scope', {}, undefined, 'mcp.read offline_access'],
    ['null', {}, null, 'mcp.read offline_access'],
    ['an empty text', {}, '', undefined],
  ])('%s', async (_case, members, scope, expected) => {
    const flow = await start('auth0');
    flow.upstream.override('/oidc/register', answerWith({ client_id: 'x', scope }));
    expect((await register(flow, members)).body.scope).toBe(expected);
  });
});

describe('a server that refuses the registration is asked again without scope', () => {
  test.each<[string, object, number, string, number]>([
    ['if the proxy has filled it in', {}, 400, 'invalid_client_metadata', 2],
    ['also for invalid_scope', {}, 400, 'invalid_scope', 2],
    ['but not if the client has named it', { scope: 'mcp.read' }, 400, 'invalid_client_metadata', 1],
    ['nor for another error', {}, 400, 'invalid_redirect_uri', 1],
    ['nor for another status', {}, 403, 'invalid_client_metadata', 1],
  ])('%s', async (_case, members, status, error, calls) => {
    const flow = await start('auth0');
    flow.upstream.override('/oidc/register', answerWith({ error }, status));
    expect(await register(flow, members)).toMatchObject({ status, body: { error } });
    expect(flow.upstream.requests.filter(({ path }) => path === '/oidc/register')).toHaveLength(calls);
  });
});

describe('a client of oidc-provider that registered without scope', () => {
  test.each([
    ['registers clients for the scope of the resource', ['openid', 'offline_access', 'mcp.read']],
    ['refuses registrations for it', ['openid', 'offline_access']],
  ])('may ask for what is announced, if the server %s', async (_case, scopes) => {
    let resource = '';
    const issuer = await startOidcServer(() => resource, 'jwt', scopes);
    const guarded = await startGuardedServer(() => ({
      issuer,
      provider: 'standard',
      oauthProxy: { secret: SECRET },
      resourceMetadata: { scopesSupported: ['mcp.read'] },
    }));
    resource = guarded.resource;
    const base = `${guarded.origin}/.well-known/oauth-authorization-server/mcp`;
    const { status, body } = await register({ base });
    expect([status, body.scope]).toEqual([201, 'mcp.read offline_access']);
    for (const scope of ['mcp.read', 'mcp.read offline_access']) {
      const client = rawClient(base, body.client_id as string);
      const url = client.authorizationUrl({ scope, prompt: 'consent' });
      const end = await new UserAgent().visit(url, atOidcServer, ({ href }) => href.startsWith(REDIRECT_URI));
      expect(Object.fromEntries((end as URL).searchParams)).toMatchObject({ code: expect.any(String) });
      const tokens = await client.token({ code: (end as URL).searchParams.get('code') ?? '' });
      expect([tokens.status, String(tokens.body.scope).split(' ')[0]]).toEqual([200, 'mcp.read']);
    }
  });
});
