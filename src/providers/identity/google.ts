import { type IdentityProvider, readProfile, splitAtSpaces, subOf } from './identity-provider.js';

/** Google. Only `access_type=offline` with `prompt=consent` gives a refresh token at every login; a refresh keeps it. */
export function createGoogle(): IdentityProvider {
  return Object.freeze({
    name: 'Google',
    issuer: 'https://accounts.google.com',
    authorizationEndpoint: 'https://accounts.google.com/o/oauth2/v2/auth',
    tokenEndpoint: 'https://oauth2.googleapis.com/token',
    loginParameters: { access_type: 'offline', prompt: 'consent' },
    supportsPkce: true,
    authMethod: 'client_secret_post' as const,
    defaultScopes: ['openid', 'email', 'profile'],
    requiredScopes: ['openid'],
    splitScopes: splitAtSpaces,
    idToken: {
      issuers: ['https://accounts.google.com', 'accounts.google.com'],
      jwksUrl: 'https://www.googleapis.com/oauth2/v3/certs',
    },
    profile: [
      {
        url: 'https://openidconnect.googleapis.com/v1/userinfo',
        read: readProfile,
      },
    ],
    subjectOf: subOf,
    claims: ['email', 'email_verified', 'name', 'hd'],
    revocation: {
      method: 'POST' as const,
      url: () => 'https://oauth2.googleapis.com/revoke',
      body: { type: 'form' as const, member: 'token' },
      takesRefreshTokens: true,
      credentials: 'none' as const,
    },
  });
}
