import { describe, expect, test } from 'vitest';
import { startGuardedServer } from '../support/guarded-server.js';
import { REDIRECT_URI, registerClient } from '../support/oauth-proxy-client.js';
import { type OAuthProxyFlow, SECRET, startOAuthProxyFlow, tokenRequests } from '../support/oauth-proxy-flow.js';
import { atOidcServer, startOidcServer } from '../support/oidc-server.js';
import { type BehaviourName, PROVIDER_BEHAVIOURS } from '../support/provider-behaviours.js';
import { UserAgent } from '../support/user-agent.js';

/** The scopes that the authorization server was asked for at the last login. */
const asked = ({ upstream }: OAuthProxyFlow) =>
  upstream.requests.findLast(({ form }) => form.get('response_type') === 'code')?.form.get('scope');

const call = (resource: string, token: unknown) =>
  fetch(resource, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
  });

describe('a login gets default scopes', () => {
  const policies = {
    required: { requiredScopes: ['mcp.read'] },
    challenged: { requiredScopes: undefined, challengeScopes: ['mcp.read'] },
    neither: { requiredScopes: undefined },
  };
  type Row = [BehaviourName, keyof typeof policies, supported: string, scope: string | undefined, expected?: string];
  test.each<Row>([
    ['entra', 'required', 'mcp.write', undefined, 'api://app-id/mcp.read'],
    ['entra', 'required', 'offline_access', undefined, 'api://app-id/mcp.read offline_access'],
    ['entra', 'required', '', 'offline_access', 'offline_access api://app-id/mcp.read'],
    ['entra', 'required', 'offline_access', 'openid profile', 'openid profile api://app-id/mcp.read'],
    ['entra', 'required', '', 'mcp.write', 'api://app-id/mcp.write'],
    ['entra', 'required', '', 'api://other/mcp.write openid', 'api://other/mcp.write openid'],
    ['entra', 'challenged', 'mcp.read mcp.write', undefined, 'api://app-id/mcp.read'],
    ['entra', 'neither', 'mcp.read mcp.write', ' ', 'api://app-id/mcp.read api://app-id/mcp.write'],
    ['auth0', 'required', '', undefined, 'mcp.read'],
    ['auth0', 'required', 'openid profile email', 'openid profile email', 'openid profile email mcp.read'],
    ['auth0', 'neither', '', undefined],
    ['auth0', 'neither', 'openid mcp.read', 'openid', 'openid'],
  ])('%s, mcp.read is %s, announced %j, asked for %j', async (name, policy, announced, scope, expected) => {
    const scopesSupported = announced.split(' ').filter(Boolean);
    const flow = await startOAuthProxyFlow(name, undefined, {
      ...policies[policy],
      resourceMetadata: { scopesSupported },
    });
    await (await registerClient(flow)).logIn({ scope });
    expect(asked(flow)).toBe(expected ?? null);
  });
});

test.each([
  ['auth0', undefined, 'mcp.read mcp.write'],
  ['auth0', ' ', 'mcp.read mcp.write'],
  ['auth0', 'openid profile', null],
  ['auth0', 'mcp.write openid', 'mcp.write'],
  // All clients share one there, and it does not learn for which scopes they register.
  ['entra', 'openid profile', 'api://app-id/mcp.read api://app-id/mcp.write'],
] as const)('%s, registered for %j: a login without scope asks for %j', async (name, scope, expected) => {
  const resourceMetadata = { scopesSupported: ['mcp.read', 'mcp.write'] };
  const flow = await startOAuthProxyFlow(name, undefined, { requiredScopes: undefined, resourceMetadata });
  await (await registerClient(flow, { scope })).logIn();
  expect(asked(flow)).toBe(expected);
});

test('a client that names no scope logs in at Entra, calls, and refreshes with the scopes of its login', async () => {
  const flow = await startOAuthProxyFlow('entra');
  const client = await registerClient(flow);
  const { body } = await client.token({ code: (await client.logIn()).get('code') ?? '' });
  expect((await call(flow.guarded.resource, body.access_token)).status).toBe(200);
  const refreshed = await client.token({
    grant_type: 'refresh_token',
    refresh_token: body.refresh_token as string,
  });
  expect((await call(flow.guarded.resource, refreshed.body.access_token)).status).toBe(200);
  expect(tokenRequests(flow).at(-1)).toMatchObject({ scope: 'api://app-id/mcp.read offline_access' });
});

test('the answer names the default scopes if the authorization server names none', async () => {
  const flow = await startOAuthProxyFlow('cognito', undefined, { requiredScopes: ['mcp.read'] });
  const client = await registerClient(flow);
  flow.upstream.override(PROVIDER_BEHAVIOURS.cognito.kind.paths.token, (res) => {
    res.writeHead(200, { 'content-type': 'application/json' });
    res.end('{"access_token":"a","token_type":"Bearer","refresh_token":"r"}');
  });
  const first = await client.token({ code: (await client.logIn()).get('code') ?? '' });
  expect(first.body.scope).toBe('mcp.read');
  const refresh = { grant_type: 'refresh_token', refresh_token: first.body.refresh_token as string };
  expect((await client.token(refresh)).body).not.toHaveProperty('scope');
  const named = await client.token({ code: (await client.logIn({ scope: 'mcp.read' })).get('code') ?? '' });
  expect(named.body).not.toHaveProperty('scope');
});

test.each([
  ['names the default scopes beside a scope that the client names twice', 'openid openid', 'openid mcp.read'],
  ['names no scopes if the authorization server was asked for none', undefined, undefined],
])('the answer %s', async (_what, asked, scope) => {
  const omittedScopes = asked === undefined ? ['mcp.read', 'offline_access'] : [];
  const flow = await startOAuthProxyFlow('cognito', undefined, {
    provider: { cognito: { omittedScopes } },
    requiredScopes: ['mcp.read'],
  });
  const client = await registerClient(flow);
  flow.upstream.override(PROVIDER_BEHAVIOURS.cognito.kind.paths.token, (res) => {
    res.writeHead(200, { 'content-type': 'application/json' });
    res.end('{"access_token":"a","token_type":"Bearer"}');
  });
  const { body } = await client.token({ code: (await client.logIn({ scope: asked })).get('code') ?? '' });
  expect(body.scope).toBe(scope);
});

test('the consent page names the default scopes', async () => {
  const flow = await startOAuthProxyFlow('entra');
  const { html } = await (await registerClient(flow)).authorize();
  expect(html).toContain('<li>mcp.read</li><li>offline_access</li>');
});

test('a client of oidc-provider that names no scope gets a token that calls accept', async () => {
  let resource = '';
  const issuer = await startOidcServer(() => resource);
  const guarded = await startGuardedServer(() => ({
    issuer,
    provider: 'standard',
    oauthProxy: { secret: SECRET },
    requiredScopes: ['mcp.read'],
  }));
  resource = guarded.resource;
  const client = await registerClient({ base: `${guarded.origin}/.well-known/oauth-authorization-server/mcp` });
  const end = await new UserAgent().visit(client.authorizationUrl(), atOidcServer, ({ href }) =>
    href.startsWith(REDIRECT_URI),
  );
  const { body } = await client.token({ code: (end as URL).searchParams.get('code') ?? '' });
  expect(body.scope).toBe('mcp.read');
  expect((await call(resource, body.access_token)).status).toBe(200);
});
