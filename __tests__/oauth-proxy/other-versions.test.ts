import { expect, test } from 'vitest';
import { rawClient, registerClient, withCode } from '../support/oauth-proxy-client.js';
import { startOAuthProxyFlow, tokenRequests, unseal } from '../support/oauth-proxy-flow.js';
import { UserAgent } from '../support/user-agent.js';

// Client ids and refresh tokens never expire: a version that seals more members gets those of a version that sealed fewer.

test('a client id without redirect URIs must register again', async () => {
  const { base, seal } = await startOAuthProxyFlow('keycloak');
  const client = rawClient(base, seal.close('client', { upstreamId: 'x' } as never));
  expect(await client.token({ code: 'c' })).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
});

test('a refresh token without scopes, and a code without a challenge, are refused', async () => {
  const { flow, client, code } = await withCode('keycloak');
  const { body } = await client.token({ code });
  const { scopes: _scopes, ...token } = unseal(flow, 'refresh_token', body.refresh_token as string);
  const { codeChallenge: _challenge, ...rest } = unseal(flow, 'code', code);
  const asked = tokenRequests(flow).length;
  for (const grant of [
    { grant_type: 'refresh_token', refresh_token: flow.seal.close('refresh_token', token as never) },
    { code: flow.seal.close('code', rest as never) },
  ]) {
    expect(await client.token(grant)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  }
  expect(tokenRequests(flow)).toHaveLength(asked);
});

test('a browser whose cookie has no consents counts as new', async () => {
  const flow = await startOAuthProxyFlow('keycloak');
  const client = await registerClient(flow);
  const first = await client.authorize({}, new UserAgent());
  const [name = ''] = first.response.headers.get('set-cookie')?.split('=') ?? [];
  const cookie = `${name}=${flow.seal.close('browser', { id: 'x' } as never)}`;
  const { status, headers } = await fetch(client.authorizationUrl(), { headers: { cookie }, redirect: 'manual' });
  expect(status).toBe(303);
  expect(headers.get('set-cookie')).not.toBeNull();
});
