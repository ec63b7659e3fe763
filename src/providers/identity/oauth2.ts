import { type IdentityProvider, type Profile, readProfile, splitAtSpaces } from './identity-provider.js';

/** The endpoints of a server that is not one of the others. */
export interface OAuth2Endpoints {
  readonly issuer: string;
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly userinfoEndpoint: string | undefined;
  readonly jwksUri: string | undefined;
  readonly revocationEndpoint: string | undefined;
  /** The member of the ID token or of the answer of `userinfoEndpoint` that identifies the user. */
  readonly subjectClaim: string;
}

/** Any other server that follows RFC 6749. The user comes from its ID token, from its userinfo endpoint, or from both. */
export function createOAuth2(given: OAuth2Endpoints): IdentityProvider {
  const { issuer, authorizationEndpoint, tokenEndpoint, userinfoEndpoint, jwksUri, revocationEndpoint } = given;
  const openid = jwksUri === undefined ? [] : ['openid'];
  return Object.freeze({
    name: new URL(issuer).host,
    issuer,
    authorizationEndpoint,
    tokenEndpoint,
    loginParameters: {},
    supportsPkce: true,
    authMethod: 'client_secret_basic' as const,
    defaultScopes: openid,
    requiredScopes: openid,
    splitScopes: splitAtSpaces,
    idToken: jwksUri === undefined ? undefined : { issuers: [issuer], jwksUrl: jwksUri },
    profile: userinfoEndpoint === undefined ? [] : [{ url: userinfoEndpoint, read: readProfile }],
    subjectOf: (profile: Profile) => subjectIn(profile[given.subjectClaim]),
    claims: ['name', 'preferred_username', 'email', 'email_verified'],
    revocation: revocationEndpoint === undefined ? undefined : revocationAt(revocationEndpoint),
  });
}

function revocationAt(endpoint: string) {
  return {
    method: 'POST' as const,
    url: () => endpoint,
    body: { type: 'form' as const, member: 'token' },
    takesRefreshTokens: true,
    credentials: 'basic' as const,
  };
}

/** Many servers number their users. */
function subjectIn(value: unknown): string | undefined {
  if (Number.isSafeInteger(value)) return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}
