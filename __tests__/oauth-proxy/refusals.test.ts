import { describe, expect, test } from 'vitest';
import { CLIENT_ID_URL } from '../../src/oauth/client-id-url.js';
import { fingerprint } from '../../src/oauth-proxy/fingerprint.js';
import {
  postForm,
  postJson,
  REDIRECT_URI,
  rawClient,
  registerClient,
  VERIFIER,
} from '../support/oauth-proxy-client.js';
import { type OAuthProxyFlow, startOAuthProxyFlow, tokenRequests } from '../support/oauth-proxy-flow.js';
import { type BehaviourName, PROVIDER_BEHAVIOURS } from '../support/provider-behaviours.js';
import { createRecordingLogger } from '../support/recording-logger.js';

const METADATA = { client_name: 'Tools', redirect_uris: [REDIRECT_URI], token_endpoint_auth_method: 'none' };

/** A flow, and the warnings in its log. */
async function withLog(name: BehaviourName, changes: Record<string, unknown> = {}) {
  const { lines, logger } = createRecordingLogger();
  const flow = await startOAuthProxyFlow(name, undefined, { ...changes, logger });
  return { flow, all: lines, warnings: () => lines.filter((line) => line.startsWith('warn')) };
}

type Row = [what: string, server: BehaviourName, act: (flow: OAuthProxyFlow) => Promise<unknown>, line: string];

const register = (metadata: unknown, headers?: Record<string, string>) => (flow: OAuthProxyFlow) =>
  postJson(`${flow.base}/client-registration`, metadata, headers);
const authorize = (changes: Record<string, string>) => async (flow: OAuthProxyFlow) =>
  (await registerClient(flow, METADATA)).authorize(changes);
const logIn = (changes: Record<string, string>) => async (flow: OAuthProxyFlow) =>
  (await registerClient(flow, METADATA)).logIn(changes);
const refresh = (changes: Record<string, string>) => async (flow: OAuthProxyFlow) => {
  const client = await registerClient(flow, METADATA);
  const code = (await client.logIn({ scope: 'mcp.read offline_access' })).get('code') ?? '';
  const { body } = await client.token({ code });
  return client.token({
    grant_type: 'refresh_token',
    refresh_token: body.refresh_token as string,
    ...changes,
  });
};

const ROWS: Row[] = [
  [
    'a registration without redirect URIs',
    'entra',
    register({ client_name: 'Tools' }),
    'registration of the client "Tools" refused by this server: redirect_uris must be 1 to 10 URIs: https, http on ' +
      'loopback, or a private-use scheme, without fragment; to let this client log in, add its redirect URI to ' +
      'oauthProxy.allowedRedirectUris, or correct it in the client',
  ],
  [
    'a registration that is not JSON',
    'entra',
    register('{'),
    'registration of a client without a name refused by this server: The body must be a JSON object, without ' +
      'duplicate members; correct the client',
  ],
  [
    'a registration that wants credentials',
    'okta',
    (flow) => register(METADATA)(flow),
    'registration of the client "Tools" refused by the authorization server: 401 "invalid_token" "registration wants ' +
      'credentials"; clients cannot register without an API token of the organisation; set "clientId" instead',
  ],
  [
    'a login for another resource',
    'keycloak',
    authorize({ resource: 'https://other.example/mcp' }),
    'login of the client "Tools" refused by this server: resource must be the resource of this server; ' +
      'set resourceMetadata.resource to the address that clients use',
  ],
  [
    'a login at another redirect URI',
    'keycloak',
    authorize({ redirect_uri: 'https://evil.example/' }),
    'login of the client "Tools" refused by this server: This client has not registered this redirect URI: ' +
      '"https://evil.example/"; correct the client',
  ],
  [
    'a login of an unknown client',
    'keycloak',
    (flow) => rawClient(flow.base, 'x').authorize(),
    'login of a client without a name refused by this server: The client is not registered here and must ' +
      'register again; the client must register again; if this happens after every restart, set oauthProxy.secret; ' +
      'an id that a user typed in must be in oauthProxy.clients',
  ],
  [
    'a login with a URL that is no client id',
    'keycloak',
    (flow) => rawClient(flow.base, 'https://app.example/').authorize(),
    `login of the client "app.example" refused by this server: A client_id that is a URL must be ${CLIENT_ID_URL}; ` +
      'correct the client id in the client',
  ],
  [
    'a login for unknown scopes',
    'keycloak',
    logIn({ scope: 'mcp.write' }),
    'login of the client "Tools" refused by the authorization server: 302 "invalid_scope" "Invalid scopes"; ' +
      'list only scopes that it grants to this client in scopesSupported and requiredScopes',
  ],
  [
    'a code that is none',
    'keycloak',
    async (flow) => (await registerClient(flow, METADATA)).token({ code: 'x' }),
    'code of the client "Tools" refused by this server: The code has expired, or is not for this client and redirect ' +
      'URI; the user must log in again; if this happens after every restart, set oauthProxy.secret',
  ],
  [
    'a refresh for more than the login',
    'keycloak',
    refresh({ scope: 'mcp.read mcp.write' }),
    'refresh of the client "Tools" refused by this server: scope must not contain more than the login asked for; ' +
      'correct the scopes in the configuration of the client',
  ],
];

describe('the log says who was refused what, by whom, why, and what to change', () => {
  test.each(ROWS)('%s, at %s', async (_what, server, act, line) => {
    const { flow, warnings } = await withLog(server, server === 'okta' ? { clientId: undefined } : {});
    await act(flow);
    expect(warnings()).toEqual([`warn OAuth proxy: ${line}`]);
  });

  test('a registration that Keycloak refuses: names its policies', async () => {
    const { flow, warnings } = await withLog('keycloak');
    flow.upstream.override('/realms/mcp/clients-registrations/openid-connect', (res) => {
      res.writeHead(403, { 'content-type': 'application/json' });
      res.end('{"error":"insufficient_scope","error_description":"Policy \'Trusted Hosts\' rejected request"}');
    });
    await register(METADATA)(flow);
    expect(warnings()).toEqual([
      'warn OAuth proxy: registration of the client "Tools" refused by the authorization server: 403 "insufficient_scope" ' +
        '"Policy \'Trusted Hosts\' rejected request"; see Clients, Client registration, Anonymous access policies: ' +
        'Trusted Hosts must name the host of this server and of "resource"; Max Clients Limit may be reached',
    ]);
  });

  test('a refresh that the server refuses', async () => {
    const { flow, warnings } = await withLog('keycloak');
    const client = await registerClient(flow, METADATA);
    const sealed = {
      client: fingerprint(client.id),
      upstream: undefined,
      scopes: [],
      hasDefaultScopes: undefined,
      granted: undefined,
      token: 'unknown there',
    };
    await client.token({ grant_type: 'refresh_token', refresh_token: flow.seal.close('refresh_token', sealed) });
    expect(warnings()).toEqual([
      'warn OAuth proxy: refresh of the client "Tools" refused by the authorization server: 400 "invalid_grant"; the user must log in again',
    ]);
  });
});

describe('neither log nor answers repeat a secret', () => {
  test.each(['entra', 'keycloak', 'auth0'] as const)('that %s repeats in its refusal', async (name) => {
    const { flow, all } = await withLog(name);
    const { token: path } = PROVIDER_BEHAVIOURS[name].kind.paths;
    const metadata = name === 'auth0' ? { ...METADATA, token_endpoint_auth_method: 'client_secret_post' } : METADATA;
    const { body: registered } = await postJson(`${flow.base}/client-registration`, metadata);
    const client = rawClient(flow.base, registered.client_id as string);
    const code = (await client.logIn({ scope: 'mcp.read offline_access' })).get('code') ?? '';
    const secret = registered.client_secret as string | undefined;
    flow.upstream.override(path, (res) => {
      const sent = flow.upstream.requests.at(-1);
      res.writeHead(400, { 'content-type': 'application/json' });
      res.end(
        JSON.stringify({
          error: 'invalid_grant',
          error_description: `bad: ${sent?.form} ${[...(sent?.form.values() ?? [])]}`,
        }),
      );
    });
    const { body } = await client.token({ code, ...(secret === undefined ? {} : { client_secret: secret }) });
    const [sent] = tokenRequests(flow) as Record<string, string>[];
    const secrets = [sent?.code, VERIFIER, sent?.client_secret, code].filter((text) => text !== undefined);
    for (const text of secrets) expect(JSON.stringify([body, all])).not.toContain(text);
    expect(all.join('\n')).toContain('bad: ');
  });

  test('an initial access token that the server repeats', async () => {
    const { flow, all } = await withLog('okta', { clientId: undefined });
    flow.upstream.override('/oauth2/v1/clients', (res) => {
      res.writeHead(401, { 'content-type': 'application/json' });
      res.end(JSON.stringify({ error: 'invalid_token', error_description: 'SSWS 00-wrong is not valid' }));
    });
    const { body } = await register(METADATA, { authorization: 'SSWS 00-wrong' })(flow);
    expect(JSON.stringify([body, all])).not.toContain('00-wrong');
  });
});

test('the name of a client and the text of a server cannot add a line to the log', async () => {
  const { flow, warnings } = await withLog('entra');
  const name = 'x"\n\u001b[2J\u009b\u0085\u2028\u2029\u202e\u200f\u0000';
  await register({ client_name: name })(flow);
  await register({ client_name: 'n'.repeat(10_000) })(flow);
  expect(warnings()).toHaveLength(2);
  for (const line of warnings()) {
    expect(line).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
    expect(line.length).toBeLessThan(500);
  }
});

test('a flood of requests during an outage does not flood the log', async () => {
  const { flow, all } = await withLog('entra');
  await flow.upstream.close();
  for (let i = 0; i < 100; i++) await fetch(flow.base);
  const errors = all.filter((line) => line.startsWith('error OAuth proxy: '));
  expect(errors).toHaveLength(31);
  expect(errors.at(-1)).toBe('error OAuth proxy: further outages in this minute are not logged');
});

test('a flood of refusals does not flood the log', async () => {
  const { flow, warnings } = await withLog('entra');
  for (let i = 0; i < 100; i++) await postForm(`${flow.base}/token`, { grant_type: 'refresh_token' });
  expect(warnings()).toHaveLength(31);
  expect(warnings().at(-1)).toBe('warn OAuth proxy: further refusals in this minute are not logged');
});
