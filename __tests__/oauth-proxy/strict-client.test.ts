import * as oauth from 'oauth4webapi';
import { expect, test } from 'vitest';
import { REDIRECT_URI } from '../support/oauth-proxy-client.js';
import { asAlice, startOAuthProxyFlow } from '../support/oauth-proxy-flow.js';
import { type BehaviourName, PROVIDER_BEHAVIOURS, type Setup } from '../support/provider-behaviours.js';
import { UserAgent } from '../support/user-agent.js';

/** The scopes that the resource announces. */
function scopesOf(name: BehaviourName): readonly string[] {
  const { scopes = ['mcp.read', 'offline_access'] }: Setup = PROVIDER_BEHAVIOURS[name];
  return scopes;
}

const insecure = { [oauth.allowInsecureRequests]: true };

test.each(Object.keys(PROVIDER_BEHAVIOURS) as BehaviourName[])(
  'the strict client oauth4webapi accepts the OAuth proxy of %s',
  async (name) => {
    const { guarded } = await startOAuthProxyFlow(name);
    const issuer = new URL(guarded.resource);
    const discovered = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure });
    const server = await oauth.processDiscoveryResponse(issuer, discovered);
    const metadata = { redirect_uris: [REDIRECT_URI], token_endpoint_auth_method: 'none' };
    const client = await oauth.processDynamicClientRegistrationResponse(
      await oauth.dynamicClientRegistrationRequest(server, metadata, insecure),
    );

    const verifier = oauth.generateRandomCodeVerifier();
    const state = oauth.generateRandomState();
    const url = new URL(server.authorization_endpoint ?? '');
    url.search = new URLSearchParams({
      client_id: client.client_id,
      redirect_uri: REDIRECT_URI,
      response_type: 'code',
      scope: scopesOf(name).join(' '),
      resource: guarded.resource,
      state,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    }).toString();
    const end = await new UserAgent().visit(url, asAlice, ({ href }) => href.startsWith(REDIRECT_URI));
    const callback = oauth.validateAuthResponse(server, client, end as URL, state);
    const tokens = await oauth.processAuthorizationCodeResponse(
      server,
      client,
      await oauth.authorizationCodeGrantRequest(
        server,
        client,
        oauth.None(),
        callback,
        REDIRECT_URI,
        verifier,
        insecure,
      ),
    );
    const refreshed = await oauth.processRefreshTokenResponse(
      server,
      client,
      await oauth.refreshTokenGrantRequest(server, client, oauth.None(), tokens.refresh_token ?? '', insecure),
    );
    expect(refreshed.access_token).not.toBe(tokens.access_token);
  },
);
