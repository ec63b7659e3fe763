import { describe, expect, test } from 'vitest';
import { initialize, post } from '../support/mcp-requests.js';
import { type RawClient, registerClient } from '../support/oauth-proxy-client.js';
import { startOAuthProxyFlow, tokenRequests } from '../support/oauth-proxy-flow.js';
import type { BehaviourName } from '../support/provider-behaviours.js';

/** Logs in and exchanges the code, as far as the server lets the client. */
async function endOf(client: RawClient, scope: string, changes: Record<string, string> = {}): Promise<object> {
  const callback = await client.logIn({ scope, ...changes });
  const code = callback.get('code');
  if (code === null) return { error: callback.get('error'), description: callback.get('error_description') };
  const { status, body } = await client.token({ code });
  return { status, ...body };
}

const notAllowed = (scope: string) => `The OAuth 2.0 Client is not allowed to request scope '${scope}'.`;
const UNPROCESSABLE = 'authorization request cannot be processed';

describe('with another setting, the server refuses the login', () => {
  test.each<[BehaviourName, provider: object, scope: string, error: string, description: string]>([
    ['cognito', { cognito: { omittedScopes: [] } }, 'mcp.read offline_access', 'invalid_request', 'invalid_scope'],
    ['cognito', { cognito: { resource: true } }, 'mcp.read', 'invalid_request', 'invalid_scope'],
    ['cognito', { standard: { registration: false } }, 'mcp.read', 'invalid_request', 'invalid_scope'],
    [
      'clerk',
      { clerk: { omittedScopes: [] } },
      'mcp.read private_metadata',
      'invalid_scope',
      notAllowed('private_metadata'),
    ],
    ['clerk', { clerk: {} }, 'mcp.write', 'invalid_scope', notAllowed('mcp.write')],
    [
      'zitadel',
      { zitadel: { addedScopes: [] } },
      'mcp.read',
      'invalid_scope',
      'The scope openid is missing in your request.',
    ],
    ['hydra', { auth0: { metadata: 'any' } }, 'mcp.write', 'invalid_scope', notAllowed('mcp.write')],
    ['supabase', { standard: { omittedScopes: ['offline_access'] } }, 'openid', 'invalid_request', UNPROCESSABLE],
    ['supabase', { standard: { resource: false } }, 'openid offline_access', 'invalid_request', UNPROCESSABLE],
    [
      'withoutPkce',
      { standard: { resource: false } },
      'mcp.read',
      'invalid_request',
      'Unknown parameter: code_challenge',
    ],
    ['okta', { okta: {} }, 'mcp.write', 'invalid_scope', 'One or more scopes are not configured'],
    [
      'okta',
      { okta: { prompts: ['select_account'] } },
      'mcp.read',
      'invalid_request',
      'The prompt select_account is not supported',
    ],
    [
      'entra',
      { entra: { prompts: ['consent'] } },
      'mcp.read',
      'access_denied',
      'AADSTS90095: Admin consent is required for these permissions',
    ],
    [
      'entra',
      { entra: { prompts: ['login', 'select_account'], severalPrompts: true } },
      'mcp.read',
      'invalid_request',
      "AADSTS90023: Unsupported 'prompt' value",
    ],
    [
      'entra',
      { entra: { addedScopes: ['mcp.read'] } },
      'openid',
      'invalid_scope',
      'AADSTS70011: The provided value for scope is not valid',
    ],
  ])('%s, %j, asked for %s: %s', async (name, provider, scope, error, description) => {
    const flow = await startOAuthProxyFlow(name, undefined, { provider });
    const client = await registerClient(flow);
    const prompt = 'consent login select_account';
    expect(await endOf(client, scope, { prompt })).toEqual({ error, description });
  });
});

describe('with another setting, the token endpoint refuses the client', () => {
  test.each<[BehaviourName, provider: object, expected: object]>([
    ['clerk', { clerk: { tokenEndpointAuthMethod: 'client_secret_post' } }, { status: 502 }],
    ['withoutPkce', { standard: { pkce: false, resource: false } }, { status: 502 }],
  ])('%s, %j', async (name, provider, expected) => {
    const client = await registerClient(await startOAuthProxyFlow(name, undefined, { provider }));
    expect(await endOf(client, 'mcp.read')).toMatchObject(expected);
  });
});

describe('with another setting, the server issues a token that is not accepted here', () => {
  test.each<[BehaviourName, changes: Record<string, unknown>, code: string]>([
    ['hydra', { provider: { standard: { resource: false } } }, 'The token is meant for another audience'],
    ['auth0', { provider: { auth0: { audience: false } } }, 'The token is opaque'],
    ['cognito', { audienceClaim: 'aud' }, 'The token is meant for another audience'],
    ['clerk', { audienceClaim: 'aud' }, 'The token is meant for another audience'],
    ['zitadel', { audiences: ['project-2'] }, 'The token is meant for another audience'],
  ])('%s, %j', async (name, changes, description) => {
    const flow = await startOAuthProxyFlow(name, undefined, changes);
    const tokens = (await endOf(await registerClient(flow), 'mcp.read')) as { access_token: string };
    const response = await post(flow.guarded.resource, initialize(), {
      authorization: `Bearer ${tokens.access_token}`,
    });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain(description);
    await response.text();
  });
});

test('ZITADEL: a scope in addedScopes makes another project the audience, also after a refresh', async () => {
  const scope = 'urn:zitadel:iam:org:project:id:project-2:aud';
  const provider = { zitadel: { addedScopes: ['openid', scope] } };
  const flow = await startOAuthProxyFlow('zitadel', undefined, { provider, audiences: ['project-2'] });
  const client = await registerClient(flow);
  const tokens = (await endOf(client, 'offline_access')) as { refresh_token: string };
  const refresh = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token, scope: 'offline_access' };
  const { body } = await client.token(refresh);
  const response = await post(flow.guarded.resource, initialize(), { authorization: `Bearer ${body.access_token}` });
  expect(response.status).toBe(200);
  await response.text();
  expect(tokenRequests(flow).at(-1)).not.toHaveProperty('scope');
});

test('without PKCE upstream, the OAuth proxy still requires it of clients', async () => {
  const flow = await startOAuthProxyFlow('withoutPkce');
  const client = await registerClient(flow);
  const code = (await client.logIn({ scope: 'mcp.read' })).get('code') ?? '';
  const wrong = await client.token({ code, code_verifier: 'another-verifier-of-forty-three-characters-' });
  expect(wrong).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  expect(await client.token({ code, code_verifier: undefined })).toMatchObject({ status: 400 });
  expect(tokenRequests(flow)).toEqual([]);
  expect(await client.token({ code })).toMatchObject({ status: 200 });
  expect(tokenRequests(flow)[0]).not.toHaveProperty('code_verifier');
});

test('the metadata of the OAuth proxy has the scopes of the server, without those in omittedScopes', async () => {
  const { base } = await startOAuthProxyFlow('clerk');
  const { scopes_supported: scopes } = (await (await fetch(base)).json()) as { scopes_supported: string[] };
  expect(scopes).toEqual(['openid', 'profile', 'email', 'offline_access', 'mcp.read']);
});

test('registrationMembers: a registration has only those', async () => {
  const provider = { keycloak: { registrationMembers: ['client_name'] } };
  const flow = await startOAuthProxyFlow('keycloak', undefined, { provider });
  await registerClient(flow, { logo_uri: 'https://client.example/logo.png', software_id: 'x' });
  const [registration = {}] = flow.upstream.registrations;
  expect(Object.keys(registration)).toContain('client_name');
  expect(Object.keys(registration).filter((name) => ['logo_uri', 'software_id'].includes(name))).toEqual([]);
});
