import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { REDIRECT_URI, rawClient } from '../support/oauth-proxy-client.js';
import { asAlice, SECRET, startOAuthProxyFlow } from '../support/oauth-proxy-flow.js';
import { PROVIDER_BEHAVIOURS } from '../support/provider-behaviours.js';
import { UserAgent } from '../support/user-agent.js';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

const scope = 'mcp.read offline_access';

/** A client that the OAuth proxy registers at the upstream server. */
async function startClient() {
  const clients = { public: { redirectUris: [REDIRECT_URI] } };
  const flow = await startOAuthProxyFlow('keycloak', undefined, { oauthProxy: { secret: SECRET, clients } });
  const client = rawClient(flow.base, 'public');
  const logsIn = async () => (await client.logIn({ scope })).has('code');
  const { token } = PROVIDER_BEHAVIOURS.keycloak.kind.paths;
  const tokenRequests = () => flow.upstream.requests.filter(({ path }) => path === token);
  const isUpstream = ({ origin }: URL) => origin === flow.upstream.origin;
  const abandon = () => new UserAgent().visit(client.authorizationUrl({ scope }), asAlice, isUpstream);
  return { flow, abandon, logsIn, tokenRequests };
}

test('an administrator deletes the client: a login sees the page of that server, and the next one uses another client', async () => {
  const { flow, logsIn } = await startClient();
  expect(await logsIn()).toBe(true);
  flow.upstream.deleteClients();
  await expect(logsIn()).rejects.toThrow('unknown client or redirect URI');
  vi.advanceTimersByTime(10_000);
  expect(await logsIn()).toBe(true);
  expect(flow.upstream.registrations).toHaveLength(2);
});

test('a login that does not come back changes nothing while the server knows the client, or does not answer', async () => {
  const { flow, abandon, logsIn, tokenRequests } = await startClient();
  await abandon();
  vi.advanceTimersByTime(10_000);
  expect(await logsIn()).toBe(true);
  expect(tokenRequests()).toHaveLength(1);
  await abandon();
  vi.advanceTimersByTime(10_000);
  flow.upstream.override(PROVIDER_BEHAVIOURS.keycloak.kind.paths.token, (res) => void res.destroy());
  expect(await logsIn()).toBe(true);
  expect(tokenRequests()).toHaveLength(2);
  expect(flow.upstream.registrations).toHaveLength(1);
});
