import { isRecord } from '../../http/json-object.js';
import type { IdentityProvider, Profile } from './identity-provider.js';
import { splitAtSpaces } from './identity-provider.js';

/** GitLab, at gitlab.com or at `url`. Its access tokens live two hours, and each refresh gives another refresh token. */
export function createGitlab(url = 'https://gitlab.com'): IdentityProvider {
  const { origin } = new URL(url);
  return Object.freeze({
    name: 'GitLab',
    issuer: origin,
    authorizationEndpoint: `${origin}/oauth/authorize`,
    tokenEndpoint: `${origin}/oauth/token`,
    loginParameters: {},
    supportsPkce: true,
    authMethod: 'client_secret_post' as const,
    defaultScopes: ['openid', 'profile', 'email'],
    requiredScopes: ['openid'],
    splitScopes: splitAtSpaces,
    idToken: { issuers: [origin], jwksUrl: `${origin}/oauth/discovery/keys` },
    profile: [{ url: `${origin}/oauth/userinfo`, read: (answer: unknown) => (isRecord(answer) ? answer : undefined) }],
    subjectOf: ({ sub }: Profile) => (typeof sub === 'string' && sub !== '' ? sub : undefined),
    claims: ['nickname', 'name', 'email', 'email_verified', 'groups'],
    revocation: {
      method: 'POST' as const,
      url: () => `${origin}/oauth/revoke`,
      body: { type: 'form' as const, member: 'token' },
      takesRefreshTokens: true,
      credentials: 'body' as const,
    },
  });
}
