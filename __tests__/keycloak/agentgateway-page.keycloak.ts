import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type GatewayFolder, makeGatewayFolder } from '../support/gateway-folder.js';
import { freePort } from '../support/loopback-server.js';
import { logIn, SDKS } from '../support/mcp-login.js';
import { initialize, post } from '../support/mcp-requests.js';
import { CLI, endPrograms, type Program, startNode } from '../support/program.js';
import type { FillIn } from '../support/user-agent.js';
import { createPageRealm, ISSUER, PASSWORD, type PageRealm } from './page-realm.js';

// The steps of agentgateway's page about Keycloak, with this command in place of agentgateway.

let folder: GatewayFolder;
let realm: PageRealm;
let gateway: Program;
let origin: string;
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** Starts the command with a route of the page, or restarts it. */
async function start(policies: object = {}): Promise<void> {
  await endPrograms();
  const stdio = { cmd: 'npx', args: ['@modelcontextprotocol/server-everything'] };
  const mcpAuthentication = {
    mode: 'strict',
    issuer: ISSUER,
    audiences: ['notes'],
    provider: { keycloak: {} },
    resourceMetadata: { resource: `${origin}/mcp`, scopesSupported: ['openid'], bearerMethodsSupported: ['header'] },
  };
  const file = {
    gateways: { default: { port: Number(new URL(origin).port) } },
    routes: [
      {
        backends: [{ mcp: { targets: [{ name: 'everything', stdio }] } }],
        policies: { mcpAuthentication, ...policies },
      },
    ],
  };
  const path = await folder.write('config.yaml', JSON.stringify(file));
  gateway = startNode([CLI, '-f', path, '--host', '127.0.0.1']);
  await gateway.says(/Listening on /);
}

beforeAll(async () => {
  folder = await makeGatewayFolder();
  origin = `http://localhost:${await freePort()}`;
  realm = await createPageRealm();
  await start();
});
afterAll(async () => {
  await endPrograms();
  await folder.remove();
});

const asAda: FillIn = (fields, page) => {
  if ('username' in fields) return { username: 'ada', password: PASSWORD };
  return page.html.includes('name="accept"') ? { accept: 'Yes' } : undefined;
};

function register(name: string): Promise<Response> {
  return fetch(`${origin}/.well-known/oauth-authorization-server/client-registration`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      client_name: name,
      redirect_uris: ['http://localhost:6274/oauth/callback'],
      grant_types: ['authorization_code'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    }),
  });
}

describe('without a token', () => {
  test('a request is refused, and the refusal names the metadata', async () => {
    const response = await post(`${origin}/mcp`, initialize());
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe(
      `Bearer resource_metadata="${origin}/.well-known/oauth-protected-resource/mcp"`,
    );
    expect(await response.text()).toBe('{"error":"unauthorized","error_description":"JWT token required"}');
  });

  test('the metadata of the resource is as the page shows it', async () => {
    const response = await fetch(`${origin}/.well-known/oauth-protected-resource/mcp`);
    expect(await response.text()).toBe(
      JSON.stringify({
        resource: `${origin}/mcp`,
        authorization_servers: [`${origin}/mcp`],
        mcp_protocol_version: '2025-06-18',
        resource_type: 'mcp-server',
        bearer_methods_supported: ['header'],
        scopes_supported: ['openid'],
      }),
    );
  });

  test('the metadata at the root names the registration of the gateway, and the login of the gateway too', async () => {
    const root = `${origin}/.well-known/oauth-authorization-server`;
    expect(await (await fetch(root)).json()).toMatchObject({
      registration_endpoint: `${root}/client-registration`,
      authorization_endpoint: `${root}/mcp/authorize`,
      token_endpoint: `${root}/mcp/token`,
      jwks_uri: `${ISSUER}/protocol/openid-connect/certs`,
    });
  });
});

test('a client registers once the realm trusts this machine, and not before', async () => {
  const refused = await register('too early');
  expect(refused.status).toBe(403);
  expect(await refused.text()).toContain("Policy 'Trusted Hosts' rejected request");
  await realm.trustThisMachine();
  const response = await register('an inspector');
  expect(response.status).toBe(201);
  // The realm needs no list of web origins: the gateway answers pages.
  expect(response.headers.get('access-control-allow-origin')).toBe('*');
  expect(await response.json()).toMatchObject({ client_id: expect.any(String), client_name: 'an inspector' });
  const callback = `${origin}/.well-known/oauth-authorization-server/mcp/callback`;
  expect(await realm.redirectUrisOf('an inspector')).toEqual([callback]);
  expect(await realm.redirectUrisOf('too early')).toEqual([]);
});

test('a token that Keycloak issued for a password opens a session', async () => {
  const response = await post(`${origin}/mcp`, initialize('2024-11-05'), bearer(await realm.tokenOf('bob')));
  expect(response.status).toBe(200);
  expect(response.headers.get('mcp-session-id')).toEqual(expect.any(String));
  expect(await response.text()).toContain('"serverInfo":{"name":"mcp-servers/everything"');
});

test('a rule about realm roles lets one user in, and refuses the other with 403', async () => {
  await start({ authorization: { rules: ['"operator" in jwt.realm_access.roles'] } });
  onTestFinished(() => start());
  const statusOf = async (username: string) =>
    (await post(`${origin}/mcp`, initialize(), bearer(await realm.tokenOf(username)))).status;
  expect([await statusOf('ada'), await statusOf('bob')]).toEqual([200, 403]);
  expect((await post(`${origin}/mcp`, initialize())).status).toBe(401);
});

describe('an MCP client that registers itself', () => {
  test('gets tokens without the audience, and the log says where Keycloak adds it', async () => {
    await expect(logIn('v2', `${origin}/mcp`, asAda)).rejects.toThrow('401');
    expect(gateway.stderr).toContain('add an Audience mapper for it to a client scope that every client gets');
  });

  test.each(SDKS)('SDK %s logs in and calls a tool once a client scope adds the audience', async (sdk) => {
    if (sdk === SDKS[0]) await realm.addAudienceToEveryClient();
    const client = await logIn(sdk, `${origin}/mcp`, asAda);
    onTestFinished(() => client.close());
    expect(await client.callTool('echo', { message: 'hello' })).toMatchObject({ content: [{ text: 'Echo: hello' }] });
  });
});
