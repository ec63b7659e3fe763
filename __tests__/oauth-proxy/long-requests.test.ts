import { expect, test } from 'vitest';
import { redirectOf, registerClient } from '../support/oauth-proxy-client.js';
import { asAlice, startOAuthProxyFlow } from '../support/oauth-proxy-flow.js';
import { UserAgent } from '../support/user-agent.js';

const isLogin = ({ pathname }: URL) => pathname.endsWith('/oauth2/v2.0/authorize');

test('the consent to a request of 14,000 characters is read', async () => {
  const client = await registerClient(await startOAuthProxyFlow('entra'));
  const url = client.authorizationUrl({ other: 'x'.repeat(14_000) });
  expect(await new UserAgent().visit(url, asAlice, isLogin)).toBeInstanceOf(URL);
});

test('a state that the login could not bring back is refused before the login', async () => {
  const client = await registerClient(await startOAuthProxyFlow('keycloak'));
  // In JSON, each of them has six characters.
  const { parameters } = redirectOf(await client.authorize({ state: '\u0001'.repeat(2_700) }));
  expect(parameters).toMatchObject({
    error: 'invalid_request',
    error_description: 'The request is too long: state, scope or redirect_uri',
  });
});
