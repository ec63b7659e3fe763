import { describe, expect, test } from 'vitest';
import { postJson, REDIRECT_URI, rawClient } from '../support/oauth-proxy-client.js';
import { type OAuthProxyFlow, SECRET, startOAuthProxyFlow } from '../support/oauth-proxy-flow.js';

const allowedRedirectUris = ['https://client.example/*', 'https://other.example/cb', 'http://127.0.0.1/callback'];

const start = () => startOAuthProxyFlow('entra', 'entra', { oauthProxy: { secret: SECRET, allowedRedirectUris } });

/** A client that registered before there was a list. */
function registeredBefore({ base, seal }: OAuthProxyFlow, redirectUris: readonly string[]) {
  const client = { upstreamId: 'app-id', redirectUris, name: 'Old' };
  return rawClient(base, seal.close('client', client));
}

describe.each([
  ['https://client.example/callback', true],
  ['https://client.example/', true],
  ['https://other.example/cb', true],
  [REDIRECT_URI, true],
  ['https://client.example.evil.example/callback', false],
  ['https://client.example@evil.example/callback', false],
  ['https://client.example:8443/callback', false],
  ['https://sub.client.example/callback', false],
  ['https://other.example/cb/more', false],
  ['http://127.0.0.1/other', false],
  ['cursor://client/callback', false],
])('%s: %s', (uri, allowed) => {
  test('at registration', async () => {
    const { base } = await start();
    const { status, body } = await postJson(`${base}/client-registration`, { redirect_uris: [uri] });
    expect(status).toBe(allowed ? 201 : 400);
    if (!allowed) expect(body).toMatchObject({ error: 'invalid_redirect_uri' });
  });

  test('at the login of a client that registered before', async () => {
    const client = registeredBefore(await start(), [uri]);
    const { response } = await client.authorize({ redirect_uri: uri });
    expect(response.status).toBe(allowed ? 200 : 400);
    expect(response.headers.get('location')).toBeNull();
  });
});

test('one that is not allowed among others refuses the registration', async () => {
  const { base } = await start();
  const redirect_uris = [REDIRECT_URI, 'https://evil.example/'];
  expect((await postJson(`${base}/client-registration`, { redirect_uris })).status).toBe(400);
});
