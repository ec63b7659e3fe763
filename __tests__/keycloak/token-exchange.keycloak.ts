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
  protocolMappers: [audience('mcp-server')],
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

let tokenOf: (username: string) => Promise<string>;

beforeAll(async () => {
  const { ask, token } = await logInAsAdministrator();
  await ask('POST', '', {
    realm: 'exchange',
    enabled: true,
    sslRequired: 'none',
    clients: [APP, MCP_SERVER, API, SWITCHED_OFF],
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
  const names = await Promise.all(exchanged.map(async (token) => (await api.send(token)).body.payload.preferred_username));
  expect(names).toEqual(['ada', 'bob']);
  for (const token of tokens) expect((await api.send(token)).body.error_description).toMatch(/another audience/);
  expect((await ask(tokens[0])).body.token, 'the remembered token').toBe(exchanged[0]);
  for (const token of [...tokens, ...exchanged]) expect(lines.join('\n')).not.toContain(token);
});

test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
  ['an audience that the client cannot get', { audience: 'app' }, { code: 'exchange_refused', evidence: { status: 400 } }],
  ['a client without the switch', { clientId: 'switched-off' }, { code: 'exchange_refused', evidence: { status: 400 } }],
  ['a wrong secret', { clientSecret: 'wrong' }, { code: 'client_refused' }],
])('%s: an error, and a line that says why', async (_what, changes, expected) => {
  const { ask, lines } = setUp(changes);
  const { body } = await ask(await tokenOf('ada'));
  console.log(body, lines);
  expect(body).toMatchObject(expected);
  expect(lines.filter((line) => line.startsWith('error token exchange'))).toHaveLength(1);
});
