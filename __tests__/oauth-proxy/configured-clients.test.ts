import { describe, expect, test } from 'vitest';
import { postForm, postJson, REDIRECT_URI, rawClient } from '../support/oauth-proxy-client.js';
import { type OAuthProxyFlow, SECRET, startOAuthProxyFlow, tokenRequests } from '../support/oauth-proxy-flow.js';
import { type BehaviourName, PROVIDER_BEHAVIOURS } from '../support/provider-behaviours.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { UserAgent } from '../support/user-agent.js';

const CLIENT_SECRET = 'a+secret/of%the:operator for the client=';
const clients = {
  public: { redirectUris: [REDIRECT_URI, 'https://client.example/cb'] },
  'an id: 100% & more+': { redirectUris: [REDIRECT_URI], secret: CLIENT_SECRET },
};
const ids = Object.keys(clients) as [string, string];
const [PUBLIC, CONFIDENTIAL] = ids;
const scope = 'mcp.read offline_access';

const start = (name: BehaviourName, more: object = {}) =>
  startOAuthProxyFlow(name, undefined, { oauthProxy: { secret: SECRET, clients, ...more } });

/** The parameters and the header of every token request that the upstream server received. */
const sentFor = (flow: OAuthProxyFlow) => tokenRequests(flow) as Record<string, string | undefined>[];

const encoded = (text: string) => new URLSearchParams([['', text]]).toString().slice(1);
const basic = (id: string, secret: string) => ({
  authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
});

async function withCode(name: BehaviourName, id: string) {
  const flow = await start(name);
  const client = rawClient(flow.base, id);
  const code = (await client.logIn({ scope })).get('code') ?? '';
  return { flow, client, code };
}

describe('a client whose id a user typed in', () => {
  test.each(['keycloak', 'entra'] as const)('logs in, refreshes and revokes, at %s', async (name) => {
    const { flow, client, code } = await withCode(name, PUBLIC);
    const { body, status } = await client.token({ code });
    expect(status).toBe(200);
    const refreshed = await client.token({ grant_type: 'refresh_token', refresh_token: body.refresh_token as string });
    expect(refreshed.status).toBe(200);
    const token = refreshed.body.refresh_token as string;
    const revoked = await postForm(`${flow.base}/revocation`, { client_id: PUBLIC, token });
    expect(revoked.status).toBe(name === 'entra' ? 404 : 200);
    const { client: shared } = PROVIDER_BEHAVIOURS[name];
    const upstreamIds = new Set(sentFor(flow).map(({ client_id: id }) => id));
    expect([...upstreamIds]).toEqual([shared?.id ?? expect.stringMatching(/^[0-9a-f-]{36}$/)]);
    if (shared === undefined) {
      expect(flow.upstream.registrations).toMatchObject([
        { client_name: PUBLIC, redirect_uris: [`${flow.base}/callback`], token_endpoint_auth_method: 'none' },
      ]);
    }
  });

  test('shares one registration at the upstream server with its other logins', async () => {
    const flow = await start('keycloak');
    const client = rawClient(flow.base, PUBLIC);
    const begun = await Promise.all([1, 2, 3].map(() => client.logIn({ scope })));
    expect(begun.map((parameters) => parameters.has('code'))).toEqual([true, true, true]);
    expect(flow.upstream.registrations).toHaveLength(1);
  });

  test('is asked about once, by the id that the operator gave it', async () => {
    const flow = await start('keycloak');
    const client = rawClient(flow.base, PUBLIC);
    const agent = new UserAgent();
    const page = await client.authorize({ scope }, agent);
    expect(page.html).toMatch(/<h1>Allow “<bdi>public<\/bdi>” to use 127\.0\.0\.1:\d+\?<\/h1>/);
    expect(page.html).not.toContain('chose this name');
    expect(flow.upstream.registrations, 'nothing is registered before the consent').toEqual([]);
    await client.logIn({ scope }, agent);
    expect((await client.authorize({ scope }, agent)).response.status).toBe(303);
  });

  test('has only the redirect URIs of the options, which allowedRedirectUris does not limit', async () => {
    const flow = await start('keycloak', { allowedRedirectUris: ['https://other.example/*'] });
    const client = rawClient(flow.base, PUBLIC);
    for (const redirect_uri of [...clients.public.redirectUris, 'http://127.0.0.1:5/callback']) {
      expect((await client.authorize({ redirect_uri })).response.status).toBe(200);
    }
    for (const redirect_uri of ['https://client.example/cb/', 'https://client.example/CB', 'https://other.example/']) {
      expect((await client.authorize({ redirect_uri })).response.status).toBe(400);
    }
  });
});

test('the log says where to allow another redirect URI', async () => {
  const { lines, logger } = createRecordingLogger();
  const flow = await startOAuthProxyFlow('keycloak', undefined, { oauthProxy: { secret: SECRET, clients }, logger });
  await rawClient(flow.base, PUBLIC).authorize({ redirect_uri: 'https://other.example/' });
  expect(lines).toContain(
    'warn OAuth proxy: login of the client "public" refused by this server: This client may not use this redirect URI: ' +
      '"https://other.example/"; to allow it, add it to redirectUris of this client in oauthProxy.clients',
  );
});

describe('the secret of oauthProxy.clients', () => {
  test.each<[string, object, Record<string, string>]>([
    ['in the form', { client_secret: CLIENT_SECRET }, {}],
    ['in a Basic header', { client_id: undefined }, basic(encoded(CONFIDENTIAL), encoded(CLIENT_SECRET))],
    ['in one with its id in the form too', {}, basic(encoded(CONFIDENTIAL), encoded(CLIENT_SECRET))],
    ['in one where it is not form-encoded', { client_id: undefined }, basic(encoded(CONFIDENTIAL), CLIENT_SECRET)],
  ])('is accepted %s, and stays here', async (_where, changes, headers) => {
    const { flow, client, code } = await withCode('keycloak', CONFIDENTIAL);
    expect(await client.token({ code, ...changes }, headers)).toMatchObject({ status: 200 });
    const [sent] = tokenRequests(flow);
    expect(sent).toMatchObject({ client_id: expect.stringMatching(/^[0-9a-f-]{36}$/), authorization: undefined });
    expect(JSON.stringify(flow.upstream.requests.map(({ form }) => `${form}`))).not.toContain('operator');
  });

  test.each<[string, string, object, Record<string, string>]>([
    ['none', CONFIDENTIAL, {}, {}],
    ['an empty one', CONFIDENTIAL, { client_secret: '' }, {}],
    ['a wrong one', CONFIDENTIAL, { client_secret: `${CLIENT_SECRET}x` }, {}],
    ['a shorter one', CONFIDENTIAL, { client_secret: CLIENT_SECRET.slice(0, -1) }, {}],
    ['a wrong one in Basic', CONFIDENTIAL, { client_id: undefined }, basic(encoded(CONFIDENTIAL), 'wrong')],
    ['none in Basic', CONFIDENTIAL, { client_id: undefined }, basic(encoded(CONFIDENTIAL), '')],
    ['an assertion', CONFIDENTIAL, { client_assertion: 'a.b.c' }, {}],
    ['a secret of a client that has none', PUBLIC, { client_secret: CLIENT_SECRET }, {}],
    ['an assertion of a client that has no keys', PUBLIC, { client_assertion: 'a.b.c' }, {}],
  ])('%s is refused with 401, and the code stays good', async (_what, id, changes, headers) => {
    const { flow, client, code } = await withCode('keycloak', id);
    const answer = await client.token({ code, ...changes }, headers);
    expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    const revoked = await postForm(`${flow.base}/revocation`, { client_id: id, token: code, ...changes }, headers);
    expect(revoked).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    expect(tokenRequests(flow)).toEqual([]);
    const right = id === CONFIDENTIAL ? { client_secret: CLIENT_SECRET } : {};
    expect(await client.token({ code, ...right })).toMatchObject({ status: 200 });
  });

  test('in two ways at once is refused', async () => {
    const { client, code } = await withCode('keycloak', CONFIDENTIAL);
    const header = basic(encoded(CONFIDENTIAL), encoded(CLIENT_SECRET));
    for (const changes of [{ client_secret: CLIENT_SECRET }, { client_id: PUBLIC }, { client_assertion: 'a.b.c' }]) {
      const answer = await client.token({ code, ...changes }, header);
      expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
    }
  });
});

describe('what belongs to one client is refused to another', () => {
  test.each(['keycloak', 'entra'] as const)('its code and its refresh token, at %s', async (name) => {
    const { flow, client, code } = await withCode(name, PUBLIC);
    const other = rawClient(flow.base, CONFIDENTIAL);
    const secret = { client_secret: CLIENT_SECRET };
    expect(await other.token({ code, ...secret })).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    const { body } = await client.token({ code });
    const refresh = { grant_type: 'refresh_token', refresh_token: body.refresh_token as string };
    expect(await other.token({ ...refresh, ...secret })).toMatchObject({ body: { error: 'invalid_grant' } });
    const { body: registered } = await postJson(`${flow.base}/client-registration`, { redirect_uris: [REDIRECT_URI] });
    const third = rawClient(flow.base, registered.client_id as string);
    expect(await third.token(refresh)).toMatchObject({ body: { error: 'invalid_grant' } });
    const revoked = await postForm(`${flow.base}/revocation`, {
      client_id: third.id,
      token: body.refresh_token as string,
    });
    expect(revoked.status).toBe(name === 'entra' ? 404 : 200);
    expect(await client.token(refresh), 'and it stays good').toMatchObject({ status: 200 });
  });
});

describe('the upstream server', () => {
  test('that has forgotten the client makes the user log in again, with another registration', async () => {
    const { flow, client, code } = await withCode('keycloak', PUBLIC);
    const { body } = await client.token({ code });
    flow.upstream.override('/realms/mcp/protocol/openid-connect/token', (res) => {
      res.writeHead(401, { 'content-type': 'application/json' }).end('{"error":"invalid_client"}');
    });
    const refresh = { grant_type: 'refresh_token', refresh_token: body.refresh_token as string };
    expect(await client.token(refresh)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    await client.logIn({ scope });
    expect(flow.upstream.registrations).toHaveLength(2);
    await client.logIn({ scope });
    expect(flow.upstream.registrations).toHaveLength(2);
  });

  test.each([
    ['client_secret_basic', undefined],
    ['client_secret_post', 'the-secret'],
    [undefined, undefined],
  ])('that gives a secret although none was asked for, for %s, gets it', async (method, inForm) => {
    const flow = await start('keycloak');
    const { paths } = PROVIDER_BEHAVIOURS.keycloak.kind;
    flow.upstream.register({ id: 'given-id', secret: 'the-secret', redirectUri: `${flow.base}/callback` });
    flow.upstream.override(paths.registration ?? '', (res) => {
      const registered = { client_id: 'given-id', client_secret: 'the-secret', token_endpoint_auth_method: method };
      res.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify(registered));
    });
    const client = rawClient(flow.base, PUBLIC);
    const { status, body } = await client.token({ code: (await client.logIn({ scope })).get('code') ?? '' });
    expect(status).toBe(200);
    const refresh = { grant_type: 'refresh_token', refresh_token: body.refresh_token as string };
    expect(await client.token(refresh)).toMatchObject({ status: 200 });
    for (const { client_secret: secret, authorization } of sentFor(flow)) {
      expect(secret).toBe(inForm);
      expect(authorization === undefined).toBe(inForm !== undefined);
    }
  });

  test('that refuses to register the client sends the user back, and the log says what to change', async () => {
    const { lines, logger } = createRecordingLogger();
    const flow = await startOAuthProxyFlow('keycloak', 'keycloak', { oauthProxy: { secret: SECRET, clients }, logger });
    flow.upstream.override(PROVIDER_BEHAVIOURS.keycloak.kind.paths.registration ?? '', (res) => {
      res.writeHead(403, { 'content-type': 'application/json' }).end('{"error":"insufficient_scope"}');
    });
    const answer = await rawClient(flow.base, PUBLIC).logIn({ scope });
    expect(Object.fromEntries(answer)).toEqual({
      error: 'server_error',
      error_description: 'The authorization server does not register this client',
      state: 'mine',
      iss: flow.guarded.resource,
    });
    expect(lines).toEqual([
      'warn OAuth proxy: registration of the client "public" refused by the authorization server: 403 "insufficient_scope"; ' +
        'see Clients, Client registration, Anonymous access policies: Trusted Hosts must name the host of this server and ' +
        'of "resource"; Max Clients Limit may be reached',
    ]);
  });
});

test('the log says which client is not set up right, and how to correct it', async () => {
  const { lines, logger } = createRecordingLogger();
  const flow = await startOAuthProxyFlow('keycloak', 'keycloak', { oauthProxy: { secret: SECRET, clients }, logger });
  await rawClient(flow.base, CONFIDENTIAL).token({ code: 'c', client_secret: 'wrong' });
  await rawClient(flow.base, PUBLIC).token({ code: 'c', client_secret: 'needless' });
  expect(lines).toEqual([
    `warn OAuth proxy: code of the client "${CONFIDENTIAL}" refused by this server: The secret of the client is wrong; ` +
      'give the client the secret that it has in oauthProxy.clients',
    'warn OAuth proxy: code of the client "public" refused by this server: This client has no secret and must not send one; ' +
      'correct how the client authenticates: its token_endpoint_auth_method',
  ]);
});

describe('revocation of an access token', () => {
  test('is not possible where the login had a registration of its own', async () => {
    const { flow, client, code } = await withCode('keycloak', PUBLIC);
    const { body } = await client.token({ code });
    const revoked = await postForm(`${flow.base}/revocation`, {
      client_id: PUBLIC,
      token: body.access_token as string,
    });
    expect(revoked).toMatchObject({ status: 400, body: { error: 'unsupported_token_type' } });
  });
});
