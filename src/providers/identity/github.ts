import { isRecord } from '../../http/json-object.js';
import type { IdentityProvider, Profile } from './identity-provider.js';

/**
 * GitHub, or a GitHub Enterprise Server at `url`. Tokens of OAuth apps do not expire and have no refresh token. It has no metadata
 * (RFC 8414), and answers the token endpoint's errors with status 200.
 */
export function createGithub(url = 'https://github.com'): IdentityProvider {
  const { origin } = new URL(url);
  const api = origin === 'https://github.com' ? 'https://api.github.com' : `${origin}/api/v3`;
  return Object.freeze({
    name: 'GitHub',
    issuer: origin,
    authorizationEndpoint: `${origin}/login/oauth/authorize`,
    tokenEndpoint: `${origin}/login/oauth/access_token`,
    loginParameters: {},
    supportsPkce: true,
    authMethod: 'client_secret_post' as const,
    // Public data of the user needs no scope.
    defaultScopes: [],
    requiredScopes: [],
    // Commas in answers, spaces in requests.
    splitScopes: (scope: string) => scope.split(/[ ,]+/).filter((name) => name !== ''),
    idToken: undefined,
    profile: [
      { url: `${api}/user`, read: (answer: unknown) => (isRecord(answer) ? answer : undefined) },
      { url: `${api}/user/orgs?per_page=100`, scopes: ['read:org', 'admin:org', 'write:org'], read: readOrganizations },
    ],
    subjectOf: ({ id }: Profile) => (Number.isSafeInteger(id) ? String(id) : undefined),
    claims: ['login', 'name', 'email', 'organizations'],
    revocation: {
      method: 'DELETE' as const,
      url: (clientId: string) => `${api}/applications/${encodeURIComponent(clientId)}/token`,
      body: { type: 'json' as const, member: 'access_token' },
      takesRefreshTokens: false,
      credentials: 'basic' as const,
    },
  });
}

function readOrganizations(answer: unknown): Profile | undefined {
  if (!Array.isArray(answer)) return undefined;
  const names = answer.map((organization: unknown) => (isRecord(organization) ? organization.login : undefined));
  return { organizations: names.filter((name) => typeof name === 'string') };
}
