import { expect, onTestFinished, test } from 'vitest';
import { startGuardedServer } from '../support/guarded-server.js';
import { logIn, SDKS } from '../support/mcp-login.js';
import { asAlice, SECRET } from '../support/oauth-proxy-flow.js';
import type { ProviderBehaviour } from '../support/provider-behaviour.js';
import { PROVIDER_BEHAVIOURS } from '../support/provider-behaviours.js';
import { startProviderServer } from '../support/provider-server.js';

const { kind: ENTRA, client: CLIENT } = PROVIDER_BEHAVIOURS.entra;
const TENANT = '11111111-2222-3333-4444-555555555555';

/** Entra ID at its address for every tenant. Its metadata says literally {tenantid}, and its tokens name the tenant of the user. */
async function startCommon() {
  let origin = '';
  const kind: ProviderBehaviour = {
    ...ENTRA,
    issuer: '/{tenantid}/v2.0',
    paths: {
      metadata: ['/common/v2.0/.well-known/openid-configuration'],
      jwks: '/common/discovery/v2.0/keys',
      authorize: '/common/oauth2/v2.0/authorize',
      token: '/common/oauth2/v2.0/token',
    },
    claims: (request) => ({ ...ENTRA.claims(request), iss: `${origin}/${TENANT}/v2.0`, tid: TENANT }),
  };
  const upstream = await startProviderServer(kind);
  origin = upstream.origin;
  return upstream;
}

async function startGuarded(tenants: unknown) {
  const upstream = await startCommon();
  const guarded = await startGuardedServer(() => ({
    issuer: upstream.issuer,
    tenants,
    provider: 'entra',
    oauthProxy: { secret: SECRET },
    clientId: CLIENT.id,
    clientSecret: CLIENT.secret,
    audiences: [CLIENT.id],
    requiredScopes: ['mcp.read'],
    resourceMetadata: { scopesSupported: ['mcp.read', 'offline_access'] },
  }));
  const redirectUri = `${guarded.origin}/.well-known/oauth-authorization-server/mcp/callback`;
  upstream.register({ ...CLIENT, redirectUri });
  return guarded;
}

test.each(SDKS)('SDK %s logs a user of any tenant in through the OAuth proxy, and calls a tool', async (sdk) => {
  const guarded = await startGuarded('*');
  const client = await logIn(sdk, guarded.resource, asAlice);
  onTestFinished(() => client.close());
  expect(await client.callTool('whoami')).toMatchObject({ content: [{ text: '{"scopes":["mcp.read"]}' }] });
});

test('a user of a tenant that is not listed is refused after the login', async () => {
  const guarded = await startGuarded(['99999999-8888-7777-6666-555555555555']);
  await expect(logIn('v2', guarded.resource, asAlice)).rejects.toThrow();
});
