import { ADMIN } from './keycloak-server.js';

export const KEYCLOAK = 'http://localhost:7080';

export const ISSUER = `${KEYCLOAK}/realms/page`;
export const PASSWORD = 'the password of both users';

/** A realm with the parts that agentgateway's page about Keycloak creates. */
export interface PageRealm {
  /** Lets clients register whose redirect URIs are on this machine. */
  trustThisMachine(): Promise<void>;
  /** Gives tokens of every client, and not only those of one, the audience of the MCP server. */
  addAudienceToEveryClient(): Promise<void>;
  /** The redirect URIs of clients with this name. */
  redirectUrisOf(clientName: string): Promise<unknown>;
  /** Returns an access token for a user's password. */
  tokenOf(username: string): Promise<string>;
}

const AUDIENCE_MAPPER = {
  name: 'audience of the MCP server',
  protocol: 'openid-connect',
  protocolMapper: 'oidc-audience-mapper',
  config: { 'included.client.audience': 'notes', 'access.token.claim': 'true' },
};

const CLIENT = {
  clientId: 'notes',
  publicClient: true,
  directAccessGrantsEnabled: true,
  redirectUris: ['http://localhost:*', 'http://127.0.0.1:*'],
  protocolMappers: [AUDIENCE_MAPPER],
};

export const user = (username: string, ownRoles: readonly string[]) => ({
  username,
  realmRoles: ['default-roles-page', ...ownRoles],
  enabled: true,
  emailVerified: true,
  email: `${username}@example.com`,
  firstName: username,
  lastName: 'Example',
  credentials: [{ type: 'password', value: PASSWORD, temporary: false }],
});

/** Creates the realm, a client whose tokens have the audience, and the users `ada` and `bob`, of whom `ada` has the role `operator`. */
export async function createPageRealm(): Promise<PageRealm> {
  const { ask, token } = await logInAsAdministrator();
  await ask('POST', '', {
    realm: 'page',
    enabled: true,
    sslRequired: 'none',
    roles: { realm: [{ name: 'operator' }] },
    clients: [CLIENT],
    users: [user('ada', ['operator']), user('bob', [])],
  });
  return {
    async trustThisMachine() {
      const [found] = await ask('GET', '/page/components?name=Trusted%20Hosts');
      const config = {
        'trusted-hosts': ['localhost', '127.0.0.1'],
        'host-sending-registration-request-must-match': ['false'],
        'client-uris-must-match': ['true'],
      };
      await ask('PUT', `/page/components/${found?.id}`, { ...found, config });
    },
    async addAudienceToEveryClient() {
      const scopes = await ask('GET', '/page/client-scopes');
      const basic = scopes.find(({ name }) => name === 'basic');
      await ask('POST', `/page/client-scopes/${basic?.id}/protocol-mappers/models`, AUDIENCE_MAPPER);
    },
    redirectUrisOf: async (clientName) =>
      (await ask('GET', '/page/clients')).flatMap(({ name, redirectUris }) =>
        name === clientName ? redirectUris : [],
      ),
    tokenOf: (username) => token('page', { client_id: 'notes', username, password: PASSWORD, scope: 'openid' }),
  };
}

/** Returns functions that use Keycloak's administration, and its token endpoints. */
export async function logInAsAdministrator() {
  async function token(realm: string, form: Record<string, string>): Promise<string> {
    const url = `${KEYCLOAK}/realms/${realm}/protocol/openid-connect/token`;
    const body = new URLSearchParams({ grant_type: 'password', ...form });
    const answer = (await (await fetch(url, { method: 'POST', body })).json()) as Record<string, string>;
    if (answer.access_token === undefined) throw new Error(`no token: ${JSON.stringify(answer)}`);
    return answer.access_token;
  }
  async function ask(method: string, path: string, body?: object): Promise<Record<string, unknown>[]> {
    // The administrator's tokens are valid for a minute.
    const authorization = `Bearer ${await token('master', { client_id: 'admin-cli', ...ADMIN })}`;
    const headers = { authorization, 'content-type': 'application/json' };
    const response = await fetch(`${KEYCLOAK}/admin/realms${path}`, {
      method,
      headers,
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status} ${text}`);
    return text === '' ? [] : JSON.parse(text);
  }
  return { ask, token };
}
