import { describe, expect, test } from 'vitest';
import { startIssuingFlow } from '../support/issuing-flow.js';
import { type RawClient, registerClient, VERIFIER, withCode } from '../support/oauth-proxy-client.js';
import { startOAuthProxyFlow, tokenRequests, unseal } from '../support/oauth-proxy-flow.js';
import { type BehaviourName, PROVIDER_BEHAVIOURS } from '../support/provider-behaviours.js';

describe('a code', () => {
  test('is exchanged for tokens without the ID token, which must not be cached', async () => {
    const { flow, client, code } = await withCode('keycloak');
    const { status, headers, body } = await client.token({ code });
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('access-control-allow-origin')).toBe('*');
    expect(body).toEqual({
      access_token: expect.stringMatching(/^ey/),
      refresh_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 300,
      scope: 'mcp.read offline_access',
    });
    expect(tokenRequests(flow)).toEqual([
      {
        grant_type: 'authorization_code',
        code: expect.stringMatching(/^[0-9a-f-]{36}$/),
        code_verifier: VERIFIER,
        redirect_uri: `${flow.base}/callback`,
        client_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        authorization: undefined,
      },
    ]);
  });

  test('works once', async () => {
    const { client, code } = await withCode('keycloak');
    await client.token({ code });
    expect(await client.token({ code })).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  test.each<[string, Record<string, string | undefined>, string]>([
    ['another redirect URI', { redirect_uri: 'https://evil.example/' }, 'invalid_grant'],
    ['another port', { redirect_uri: 'http://127.0.0.1:1/callback' }, 'invalid_grant'],
    ['another verifier', { code_verifier: 'another-verifier-of-forty-three-characters-or-more' }, 'invalid_grant'],
    ['no verifier', { code_verifier: undefined }, 'invalid_request'],
    ['an empty verifier', { code_verifier: '' }, 'invalid_request'],
    ['no code', { code: undefined }, 'invalid_request'],
    ['another resource', { resource: 'https://other.example/mcp' }, 'invalid_target'],
  ])('with %s is refused', async (_name, changes, error) => {
    const { client, code } = await withCode('keycloak');
    expect(await client.token({ code, ...changes })).toMatchObject({ status: 400, body: { error } });
  });

  test('with another verifier is refused here, even if the upstream server would accept it', async () => {
    const { flow, client, code } = await withCode('keycloak');
    const bad = ['another-verifier-of-forty-three-characters-or-more', `${VERIFIER}a`, VERIFIER.slice(1)];
    for (const code_verifier of bad) {
      expect(await client.token({ code, code_verifier })).toMatchObject({
        status: 400,
        body: { error: 'invalid_grant' },
      });
    }
    expect(tokenRequests(flow)).toEqual([]);
    expect(await client.token({ code })).toMatchObject({ status: 200 });
  });

  test.each(['client_secret', 'resource', 'redirect_uri', 'scope'])(
    'with an empty %s is treated as one without (RFC 6749, section 3.2)',
    async (name) => {
      const { client, code } = await withCode('keycloak');
      expect(await client.token({ code, [name]: '' })).toMatchObject({ status: 200 });
    },
  );

  test('without a redirect URI is accepted, as in OAuth 2.1', async () => {
    const { client, code } = await withCode('keycloak');
    expect(await client.token({ code, redirect_uri: undefined })).toMatchObject({ status: 200 });
  });

  test('of another client or server, altered, or expired, is refused', async () => {
    const { flow, client, code } = await withCode('entra');
    const other = await registerClient(flow);
    const { seal } = flow;
    const opened = unseal(flow, 'code', code);
    expect(await other.token({ code })).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    for (const bad of [`${code}A`, seal.close('code', opened, -1), seal.close('login', opened as never), opened.code]) {
      expect(await client.token({ code: bad })).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    }
    expect(tokenRequests(flow)).toEqual([]);
  });
});

describe('a refresh token', () => {
  test('is exchanged for tokens, and rotates', async () => {
    const { flow, client, code } = await withCode('entra');
    const first = (await client.token({ code })).body;
    const refresh = { grant_type: 'refresh_token', code: undefined, redirect_uri: undefined, code_verifier: undefined };
    const second = await client.token({ ...refresh, refresh_token: first.refresh_token as string, scope: 'mcp.read' });
    expect(second.status).toBe(200);
    expect(second.body.refresh_token).not.toBe(first.refresh_token);
    expect(tokenRequests(flow).at(-1)).toEqual({
      grant_type: 'refresh_token',
      refresh_token: expect.stringMatching(/^[0-9a-f-]{36}$/),
      scope: 'api://app-id/mcp.read',
      client_id: 'app-id',
      client_secret: 'the~secret of the app',
      authorization: undefined,
    });
  });

  test.each(['entra', 'keycloak'] as const)(
    'of %s is valid for the scopes of its login, and no others',
    async (name) => {
      const { flow, client, code } = await withCode(name);
      let refresh_token = (await client.token({ code })).body.refresh_token as string;
      const refresh = (scope: string) => client.token({ grant_type: 'refresh_token', refresh_token, scope });
      for (let round = 0; round < 2; round++) {
        const asked = tokenRequests(flow).length;
        for (const scope of ['mcp.write', 'mcp.read mcp.write', 'https://graph.example/.default', '.default']) {
          expect(await refresh(scope)).toMatchObject({ status: 400, body: { error: 'invalid_scope' } });
        }
        expect(tokenRequests(flow)).toHaveLength(asked);
        const answer = await refresh(name === 'entra' && round === 1 ? 'api://app-id/mcp.read' : 'mcp.read');
        expect(answer.status).toBe(200);
        refresh_token = answer.body.refresh_token as string;
      }
    },
  );

  test('of a login that asked for no scope is valid for those that the answer named', async () => {
    const { flow, client } = await withCode('keycloak');
    flow.upstream.override('/realms/mcp/protocol/openid-connect/token', (res) => {
      res.setHeader('content-type', 'application/json');
      res.end(JSON.stringify({ access_token: 'a', token_type: 'Bearer', refresh_token: 'r', scope: 'profile email' }));
    });
    const { body } = await client.token({ code: (await client.logIn()).get('code') ?? '' });
    const refresh = (scope: string) =>
      client.token({ grant_type: 'refresh_token', refresh_token: body.refresh_token as string, scope });
    expect(await refresh('email')).toMatchObject({ status: 200 });
    expect(await refresh('email mcp.write')).toMatchObject({ status: 400, body: { error: 'invalid_scope' } });
  });

  test('of another client or server, or altered, is refused before the secret is sent anywhere', async () => {
    const { flow, client, code } = await withCode('entra');
    const refreshToken = (await client.token({ code })).body.refresh_token as string;
    const other = await registerClient(flow);
    const opened = flow.seal.open('refresh_token', refreshToken) as { token: string };
    const asked = tokenRequests(flow).length;
    const attempts: [RawClient, string][] = [
      [other, refreshToken],
      [client, `${refreshToken}A`],
      [client, opened.token],
      [client, code],
    ];
    for (const [who, refresh_token] of attempts) {
      const answer = await who.token({ grant_type: 'refresh_token', refresh_token });
      expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    }
    expect(tokenRequests(flow)).toHaveLength(asked);
  });
});

describe('at a refresh, the upstream server is asked for', () => {
  const LOGIN = 'openid mcp.read offline_access';
  const WHOLE_LOGIN = 'openid api://app-id/mcp.read offline_access';
  // The scopes that the server says it granted (null: it does not say), those that the client asks for, and those sent.
  test.each<[BehaviourName, string | null, string | undefined, string | undefined]>([
    ['keycloak', 'openid mcp.read', undefined, undefined],
    ['keycloak', 'openid mcp.read', LOGIN, undefined],
    ['keycloak', 'openid mcp.read', 'offline_access mcp.read openid', undefined],
    ['keycloak', 'openid mcp.read', 'mcp.read', 'mcp.read'],
    ['keycloak', 'openid mcp.read', 'mcp.read offline_access', 'mcp.read'],
    ['keycloak', 'openid mcp.read', 'offline_access', 'offline_access'],
    ['keycloak', null, 'mcp.read offline_access', 'mcp.read offline_access'],
    ['entra', 'api://app-id/mcp.read', undefined, 'all'],
    ['entra', 'api://app-id/mcp.read', LOGIN, 'all'],
    ['entra', 'api://app-id/mcp.read', 'mcp.read', 'api://app-id/mcp.read'],
    ['entra', 'api://app-id/mcp.read', 'mcp.read offline_access', 'api://app-id/mcp.read offline_access'],
    ['entra', 'api://app-id/mcp.read api://app-id/.default', undefined, 'all'],
    ['entra', 'api://app-id/mcp.read', 'openid offline_access', 'all'],
    ['zitadel', null, 'mcp.read', undefined],
    ['cognito', null, 'mcp.read', 'mcp.read'],
    ['cognito', null, 'offline_access', undefined],
  ])('%s: granted %j, asked %j, sent %j', async (name, granted, scope, expected) => {
    const { flow, client, code } = await withCode(name, {}, {}, LOGIN);
    flow.upstream.override(PROVIDER_BEHAVIOURS[name].kind.paths.token, (res) => {
      const tokens = {
        access_token: 'a',
        token_type: 'Bearer',
        refresh_token: 'r',
        ...(granted && { scope: granted }),
      };
      res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(tokens));
    });
    let refreshToken = (await client.token({ code })).body.refresh_token as string;
    // A refresh for fewer scopes must not limit the next one.
    for (let round = 0; round < 2; round++) {
      const answer = await client.token({ grant_type: 'refresh_token', refresh_token: refreshToken, scope });
      expect(answer.status).toBe(200);
      expect((tokenRequests(flow).at(-1) as { scope?: string }).scope).toBe(
        expected === 'all' ? WHOLE_LOGIN : expected,
      );
      refreshToken = answer.body.refresh_token as string;
    }
  });
});

describe('other grants', () => {
  test.each([
    'client_credentials',
    'password',
    'urn:ietf:params:oauth:grant-type:device_code',
    'urn:ietf:params:oauth:grant-type:jwt-bearer',
    'urn:ietf:params:oauth:grant-type:token-exchange',
    'implicit',
  ])('%j is refused, and not sent to the upstream server', async (grant_type) => {
    const flow = await startOAuthProxyFlow('entra');
    const client = await registerClient(flow);
    const answer = await client.token({ grant_type, username: 'alice', password: 'p', scope: 'api://app-id/.default' });
    expect(answer).toMatchObject({ status: 400, body: { error: 'unsupported_grant_type' } });
    expect(flow.upstream.requests).toEqual([]);
  });
});

describe('a missing parameter is an invalid request', () => {
  const UPSTREAMS: readonly [string, () => Promise<RawClient>][] = [
    ['a relayed server', async () => registerClient(await startOAuthProxyFlow('entra'))],
    ['an identity provider', async () => (await startIssuingFlow()).client],
  ];
  test.each(UPSTREAMS)('at %s', async (_what, start) => {
    const client = await start();
    const codeForm = { grant_type: 'authorization_code', code: undefined };
    for (const [name, form] of Object.entries<Record<string, string | undefined>>({
      grant_type: { grant_type: undefined, code: 'c' },
      code: codeForm,
      refresh_token: { grant_type: 'refresh_token', code: undefined },
    })) {
      const expected = { status: 400, body: { error: 'invalid_request', error_description: `${name} is missing` } };
      expect(await client.token(form), name).toMatchObject(expected);
      expect(await client.token({ ...form, [name]: '' }), `an empty ${name}`).toMatchObject(expected);
    }
  });
});
