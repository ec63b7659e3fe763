import { describe, expect, test } from 'vitest';
import { type Replayed, replay } from '../support/client-replay.js';
import { startGuardedServer } from '../support/guarded-server.js';
import { initialize, post } from '../support/mcp-requests.js';
import { asAlice, SECRET, startOAuthProxyFlow } from '../support/oauth-proxy-flow.js';
import { atOidcServer, startOidcServer } from '../support/oidc-server.js';
import { type BehaviourName, PROVIDER_BEHAVIOURS, type Setup } from '../support/provider-behaviours.js';
import { startProviderServer } from '../support/provider-server.js';
import { REAL_CLIENTS, type RealClient } from '../support/real-clients.js';

const CLIENTS = Object.entries(REAL_CLIENTS);
const SERVERS = Object.keys(PROVIDER_BEHAVIOURS) as BehaviourName[];
/** As in the recordings: the resource announces its own scope, and the server offline_access. */
const RESOURCE_METADATA = { scopesSupported: ['mcp.read'] };

/** Checks that mcpAuth() accepts every access token of the client. */
async function expectLetIn(resource: string, { registration, callback, tokens, refreshed }: Replayed): Promise<void> {
  expect(registration.status).toBe(201);
  expect(Object.fromEntries(callback.searchParams)).toMatchObject({ code: expect.any(String), iss: resource });
  for (const { status, body } of refreshed === undefined ? [tokens] : [tokens, refreshed]) {
    expect(status, JSON.stringify(body)).toBe(200);
    const response = await post(resource, initialize(), { authorization: `Bearer ${body.access_token}` });
    expect(response.status).toBe(200);
    await response.text();
  }
}

const asksOffline = ({ asksFor }: RealClient) =>
  asksFor({ resource: ['mcp.read'], server: ['offline_access'] }).includes('offline_access');

describe.each(SERVERS)('registers, logs in and refreshes at %s', (name) => {
  const { kind }: Setup = PROVIDER_BEHAVIOURS[name];
  test.each(CLIENTS)('%s', async (_name, client) => {
    const { guarded } = await startOAuthProxyFlow(name, undefined, { resourceMetadata: RESOURCE_METADATA });
    const replayed = await replay({ client, resource: guarded.resource, fillIn: asAlice });
    await expectLetIn(guarded.resource, replayed);
    const isRefreshable = kind.refreshesOffline !== true || asksOffline(client);
    expect(replayed.refreshed !== undefined).toBe(client.refresh !== undefined && isRefreshable);
  });
});

describe('registers at Clerk itself, logs in and refreshes there', () => {
  test.each(CLIENTS)('%s', async (_name, client) => {
    const upstream = await startProviderServer(PROVIDER_BEHAVIOURS.clerk.kind);
    const { resource } = await startGuardedServer(() => ({
      issuer: upstream.issuer,
      provider: { clerk: { registration: true } },
      audienceClaim: 'iss',
      audiences: [upstream.issuer],
      jwtValidationOptions: { requiredClaims: ['exp', 'client_id'] },
      oauthProxy: { secret: SECRET },
      resourceMetadata: RESOURCE_METADATA,
    }));
    const replayed = await replay({ client, resource, fillIn: asAlice });
    await expectLetIn(resource, replayed);
    expect(replayed.refreshed !== undefined).toBe(client.refresh !== undefined && asksOffline(client));
  });
});

describe('registers, logs in and refreshes at oidc-provider', () => {
  test.each(CLIENTS.flatMap(([name, client]) => [false, true].map((bare) => [name, bare, client] as const)))(
    '%s; leaves out `resource`: %s',
    async (_name, withoutResource, client) => {
      let resource = '';
      const issuer = await startOidcServer(() => resource);
      const guarded = await startGuardedServer(() => ({
        issuer,
        provider: { standard: {} },
        oauthProxy: { secret: SECRET },
        resourceMetadata: RESOURCE_METADATA,
      }));
      resource = guarded.resource;
      const replayed = await replay({ client, resource, fillIn: atOidcServer, withoutResource });
      await expectLetIn(resource, replayed);
      expect(replayed.refreshed !== undefined).toBe(client.refresh !== undefined);
    },
  );
});
