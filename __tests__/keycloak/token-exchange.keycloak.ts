import { beforeAll, expect, test } from 'vitest';
import { createProtectedApp } from '../support/protected-app.js';
import { createUpstreamApp } from '../support/upstream-app.js';
import { KEYCLOAK, logInAsAdministrator, PASSWORD, user } from './page-realm.js';

const ISSUER = `${KEYCLOAK}/realms/exchange`;
const SECRET = 'the secret of the MCP server';

const audience = (clientId: string) => ({
  name: `audience ${clientId}`,
  protocol: 'openid-connect',
  protocolMapper: 'oidc-audience-mapper',
  config: { 'included.client.audience': clientId, 'access.token.claim': 'true' },
});

/** A client whose users log in with a password, and get a token for the MCP server. */
const APP = {
  clientId: 'app',
  publicClient: true,
  directAccessGrantsEnabled: true,
  protocolMappers: [audience('mcp-server'), audience('switched-off')],
};
/** The MCP server. Its own tokens may be for the API. */
const MCP_SERVER = {
  clientId: 'mcp-server',
  secret: SECRET,
  standardFlowEnabled: false,
  attributes: { 'standard.token.exchange.enabled': 'true' },
  protocolMappers: [audience('repositories')],
};
const API = { clientId: 'repositories', secret: 'the secret of the API', standardFlowEnabled: false };
/** The same as the MCP server, without the switch "Standard token exchange". */
const SWITCHED_OFF = { ...MCP_SERVER, clientId: 'switched-off', attributes: {} };

/** The same, but the tokens of {@link APP} are not for it. */
const OTHER_SERVER = { ...MCP_SERVER, clientId: 'other-server' };

let tokenOf: (username: string) => Promise<string>;

beforeAll(async () => {
  const { ask, token } = await logInAsAdministrator();
  await ask('POST', '', {
    realm: 'exchange',
    enabled: true,
    sslRequired: 'none',
    clients: [APP, MCP_SERVER, API, SWITCHED_OFF, OTHER_SERVER],
    users: ['ada', 'bob'].map((name) => ({ ...user(name, []), realmRoles: ['default-roles-exchange'] })),
  });
  tokenOf = (username) => token('exchange', { client_id: 'app', username, password: PASSWORD, scope: 'openid' });
});

const exchange = { clientId: 'mcp-server', clientSecret: SECRET, audience: 'repositories' };
const setUp = (changes: Record<string, unknown> = {}) =>
  createUpstreamApp({
    issuer: ISSUER,
    audiences: ['mcp-server'],
    resourceMetadata: { resource: 'https://mcp.example/mcp' },
    upstreamToken: { exchange: { ...exchange, ...changes } },
  });

test('Keycloak exchanges the tokens of two users at once, and the API accepts the new ones alone', async () => {
  const { ask, lines } = setUp();
  const tokens = await Promise.all(['ada', 'bob'].map(tokenOf));
  const exchanged = (await Promise.all(tokens.map((token) => ask(token)))).map(({ body }) => body.token);
  const api = createProtectedApp({ issuer: ISSUER, jwks: undefined, audiences: ['repositories'] });
  const names = await Promise.all(
    exchanged.map(async (token) => (await api.send(token)).body.payload.preferred_username),
  );
  expect(names).toEqual(['ada', 'bob']);
  for (const token of tokens) expect((await api.send(token)).body.error_description).toMatch(/another audience/);
  expect((await ask(tokens[0])).body.token, 'the remembered token').toBe(exchanged[0]);
  for (const token of [...tokens, ...exchanged]) expect(lines.join('\n')).not.toContain(token);
});

const REFUSED = { code: 'exchange_refused', evidence: { status: 400, error: 'invalid_request' } };

test.each<[string, Record<string, unknown>, Record<string, unknown>, string]>([
  ['an audience that the client cannot get', { audience: 'app' }, REFUSED, 'Requested audience not available: app'],
  [
    'a client without the switch',
    { clientId: 'switched-off' },
    REFUSED,
    'Standard token exchange is not enabled for the requested client',
  ],
  [
    'a token without the client in its audience',
    { clientId: 'other-server' },
    { code: 'exchange_refused', evidence: { status: 403, error: 'access_denied' } },
    'Client is not within the token audience',
  ],
  [
    'a wrong secret',
    { clientSecret: 'wrong' },
    { code: 'client_refused' },
    'Invalid client or Invalid client credentials',
  ],
])("%s: an error, and a line with Keycloak's own words", async (_what, changes, expected, words) => {
  const { ask, lines } = setUp(changes);
  const { body } = await ask(await tokenOf('ada'));
  expect(body).toMatchObject(expected);
  expect(lines.filter((line) => line.startsWith('error '))).toEqual([
    expect.stringMatching(/^error token exchange at .*\/token: it answered with status 40[013] \w+ \(.*\)$/),
  ]);
  expect(lines.join('\n')).toContain(`(${words})`);
});
