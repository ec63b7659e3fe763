import { type IdentityProvider, readProfile, splitAtSpaces, subOf } from './identity-provider.js';

/** GitLab, at gitlab.com or at `url`. Its access tokens live two hours, and each refresh gives another refresh token. */
export function createGitlab(url = 'https://gitlab.com'): IdentityProvider {
  // It may be below a path of its host.
  const base = url.replace(/\/+$/, '');
  return Object.freeze({
    name: 'GitLab',
    issuer: base,
    authorizationEndpoint: `${base}/oauth/authorize`,
    tokenEndpoint: `${base}/oauth/token`,
    loginParameters: {},
    supportsPkce: true,
    authMethod: 'client_secret_post' as const,
    defaultScopes: ['openid', 'profile', 'email'],
    requiredScopes: ['openid'],
    splitScopes: splitAtSpaces,
    idToken: { issuers: [base], jwksUrl: `${base}/oauth/discovery/keys` },
    profile: [{ url: `${base}/oauth/userinfo`, read: readProfile }],
    subjectOf: subOf,
    claims: ['nickname', 'name', 'email', 'email_verified', 'groups'],
    revocation: {
      method: 'POST' as const,
      url: () => `${base}/oauth/revoke`,
      body: { type: 'form' as const, member: 'token' },
      takesRefreshTokens: true,
      credentials: 'body' as const,
    },
  });
}
