import { expect, test } from 'vitest';
import type { AuthDecision } from '../../../src/index.js';
import { registerAt, SECRET, startIssuingFlow, startIssuingServer, tokensOf } from '../../support/issuing-flow.js';
import { REDIRECT_URI, rawClient } from '../../support/oauth-proxy-client.js';
import { UserAgent } from '../../support/user-agent.js';

test('a login gives a token of this server, which says who the user is', async () => {
  const { upstream, server, client } = await startIssuingFlow();
  const { status, body, headers } = await tokensOf(client);
  expect({ status, ...body }).toEqual({
    status: 200,
    access_token: expect.stringMatching(/^emat_/),
    token_type: 'Bearer',
    expires_in: 3_600,
    scope: 'mcp.read mcp.write',
    refresh_token: expect.any(String),
  });
  expect(headers.get('cache-control')).toBe('no-store');
  const called = upstream.requests.length;
  const { body: auth } = await server.call(body.access_token);
  expect(auth).toMatchObject({
    subject: expect.stringMatching(/^\d+$/),
    scopes: ['mcp.read', 'mcp.write'],
    resource: `${server.origin}/mcp`,
    payload: {
      iss: `${server.origin}/mcp`,
      aud: `${server.origin}/mcp`,
      login: 'octocat',
      email: 'octocat@example.com',
    },
  });
  expect(upstream.requests.length, 'no call for a request').toBe(called);
});

test('the identity provider gets the configured scopes, and PKCE of this server', async () => {
  const { upstream, client } = await startIssuingFlow({}, { github: { scopes: ['repo', 'read:org'] } });
  await client.logIn({ scope: 'mcp.read', prompt: 'consent', login_hint: 'x' });
  const [request] = upstream.requests.filter(({ path }) => path === 'GET /login/oauth/authorize');
  expect(Object.keys(request?.form ?? {}).toSorted()).toEqual([
    'client_id',
    'code_challenge',
    'code_challenge_method',
    'redirect_uri',
    'response_type',
    'scope',
    'state',
  ]);
  expect(request?.form.scope).toBe('repo read:org');
  expect(request?.form.code_challenge).not.toBe(new URL(client.authorizationUrl()).searchParams.get('code_challenge'));
});

test('the metadata announces what works, although the identity provider has none', async () => {
  const { upstream, server } = await startIssuingFlow();
  upstream.state.isDown = true;
  const metadata = await (await fetch(server.base)).json();
  expect(metadata).toMatchObject({
    issuer: `${server.origin}/mcp`,
    scopes_supported: ['mcp.read', 'mcp.write'],
    revocation_endpoint: `${server.base}/revocation`,
    registration_endpoint: `${server.base}/client-registration`,
  });
  expect(metadata).not.toHaveProperty('jwks_uri');
  expect(upstream.requests).toEqual([]);
});

test('the claim client_id is the name of a configured client, and a short one of a registered client', async () => {
  const clients = { 'my-client': { redirectUris: [REDIRECT_URI] } };
  const { server, client } = await startIssuingFlow({}, { policy: { oauthProxy: { secret: SECRET, clients } } });
  const idIn = async (token: unknown) => (await server.call(token)).body.clientId;
  expect(await idIn((await tokensOf(rawClient(server.base, 'my-client'))).body.access_token)).toBe('my-client');
  expect(await idIn((await tokensOf(client)).body.access_token)).toMatch(/^[\w-]{22}$/);
});

test('members of an organization can be allowed', async () => {
  const allow = ({ organizations }: Record<string, unknown>) => (organizations as string[]).includes('acme');
  const github = { scopes: ['read:org'], allow };
  const { client } = await startIssuingFlow({ organizations: ['acme'] }, { github });
  expect((await tokensOf(client)).status).toBe(200);
  const other = await startIssuingFlow({ organizations: ['other'] }, { github });
  expect((await tokensOf(other.client)).body.error).toBe('invalid_grant');
});

test('everyone can be allowed, with a warning', async () => {
  const github = { allow: undefined, dangerouslyAllowEveryone: true };
  const { server, client } = await startIssuingFlow({}, { github });
  expect((await tokensOf(client)).status).toBe(200);
  expect(server.lines).toContain(
    'warn mcpAuth(): provider.github.dangerouslyAllowEveryone is true: everyone with an account at GitHub can log in and use this server',
  );
});

const NOT_ALLOWED = {
  status: 400,
  body: { error: 'invalid_grant', error_description: 'This account may not use this server' },
};

test.each<[string, () => unknown]>([
  ['false', () => false],
  ['a text', () => 'true'],
  ['a promise of undefined', async () => undefined],
])('allow refuses the login if its result is %s, and the token of the user is revoked', async (_name, allow) => {
  const { upstream, server, client } = await startIssuingFlow({}, { github: { allow } });
  expect(await tokensOf(client)).toMatchObject(NOT_ALLOWED);
  const [line] = server.lines.filter((each) => each.includes('code of the client'));
  expect(line).toMatch(/the account "\d+", "octocat" may not use this server; .* change provider\.github\.allow$/);
  await expect.poll(() => upstream.accessTokens.size).toBe(0);
});

test.each<[string, () => unknown]>([
  ['undefined, as a rejection', () => Promise.reject()],
  [
    'an error',
    () => {
      throw new Error('broken');
    },
  ],
  ['a rejected promise', () => Promise.reject(new Error('broken'))],
  [
    'a Proxy that throws',
    () =>
      new Proxy(
        {},
        {
          get() {
            throw new Error('no');
          },
        },
      ),
  ],
])('the login is refused if allow fails with %s, and the token of the user is not revoked', async (_name, allow) => {
  const { upstream, client } = await startIssuingFlow({}, { github: { allow } });
  expect(await tokensOf(client)).toMatchObject(NOT_ALLOWED);
  // A whole login later, a revocation would have arrived.
  expect(await tokensOf(client)).toMatchObject(NOT_ALLOWED);
  expect(upstream.accessTokens.size).toBe(2);
});

test('a code is good once, for one client, with its verifier', async () => {
  const { server, client } = await startIssuingFlow();
  const code = (await client.logIn()).get('code') ?? '';
  const other = await registerAt(server);
  expect((await other.token({ code })).body.error).toBe('invalid_grant');
  expect((await client.token({ code, code_verifier: 'x'.repeat(43) })).body.error).toBe('invalid_grant');
  expect((await client.token({ code })).status).toBe(200);
  expect((await client.token({ code })).body.error).toBe('invalid_grant');
});

test('the user is asked about each client first', async () => {
  const { upstream, client } = await startIssuingFlow();
  expect((await client.authorize()).html).toContain('Allow');
  expect(upstream.requests).toEqual([]);
});

test.each([
  ['', ['mcp.read', 'mcp.write']],
  ['mcp.write', ['mcp.write']],
  ['mcp.write other', ['mcp.write']],
])('the user is asked about the scopes that the token will have: %j', async (scope, shown) => {
  const { client } = await startIssuingFlow();
  const { html } = await client.authorize({ scope });
  expect([...html.matchAll(/<li>([^<]*)<\/li>/g)].map(([, name]) => name)).toEqual(shown);
});

test('a consent to all scopes does not cover those that this server has later', async () => {
  const { upstream, server, client } = await startIssuingFlow();
  const agent = new UserAgent();
  await client.logIn({}, agent);
  const at = async (scopesSupported: readonly string[]) => {
    const resourceMetadata = { resource: `${server.origin}/mcp`, scopesSupported };
    const { base } = await startIssuingServer(upstream, { policy: { resourceMetadata } });
    return (await rawClient(base, client.id).authorize({}, agent)).response.status;
  };
  expect(await at(['mcp.read', 'mcp.write']), 'not asked again').toBe(303);
  expect(await at(['mcp.read', 'mcp.write', 'mcp.admin'])).toBe(200);
});

test('a wrong secret of this server is an outage for clients, with advice for the operator', async () => {
  const { server, client } = await startIssuingFlow({}, { policy: { clientSecret: 'wrong' } });
  const { status, body } = await tokensOf(client);
  expect({ status, error: body.error }).toEqual({ status: 502, error: 'server_error' });
  expect(server.lines.join('\n')).toContain('GitHub answered 200 "incorrect_client_credentials"; check clientId');
});

test('an identity provider that is down is an outage', async () => {
  const { upstream, client } = await startIssuingFlow();
  const code = (await client.logIn()).get('code') ?? '';
  upstream.state.isDown = true;
  expect((await client.token({ code })).status).toBe(503);
});

test('the token of the user is in no identity, decision or log', async () => {
  const decisions: AuthDecision[] = [];
  const onDecision = (decision: AuthDecision) => decisions.push(decision);
  const { upstream, server, client } = await startIssuingFlow({}, { policy: { onDecision } });
  const { body } = await tokensOf(client);
  const { body: auth } = await server.call(body.access_token);
  await server.call('gho_another');
  const [secret = ''] = upstream.accessTokens.keys();
  expect(secret).toMatch(/^gho_/);
  expect(JSON.stringify([auth, decisions, server.lines, body])).not.toContain(secret);
  expect(JSON.stringify([decisions, server.lines])).not.toContain(body.access_token);
});

test('two replicas and a restart accept a token, and another resource or secret does not', async () => {
  const { upstream, server, client } = await startIssuingFlow();
  const resource = `${server.origin}/mcp`;
  const { access_token: token } = (await tokensOf(client)).body;
  const at = async (policy: Record<string, unknown>) =>
    (await (await startIssuingServer(upstream, { policy })).call(token)).status;
  const same = { resourceMetadata: { resource } };
  expect(await at(same)).toBe(200);
  expect(await at({ ...same, oauthProxy: { secret: [`new ${SECRET}`, SECRET] } })).toBe(200);
  expect(await at({ ...same, oauthProxy: { secret: `new ${SECRET}` } })).toBe(401);
  expect(await at({ ...same, clientId: 'another-app' })).toBe(401);
  expect(await at({})).toBe(401);
});
