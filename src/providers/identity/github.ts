import { isRecord } from '../../http/json-object.js';
import {
  type IdentityProvider,
  type Profile,
  type ProfileAnswer,
  type ProfileSource,
  readProfile,
  type UpstreamLogin,
} from './identity-provider.js';

/**
 * GitHub, or a GitHub Enterprise Server at `url`. It has no metadata (RFC 8414), and answers the token endpoint's errors with status 200.
 * Tokens of OAuth apps do not expire and have no refresh token. Those of GitHub Apps live eight hours, and each refresh gives another
 * refresh token.
 */
export function createGithub(url = 'https://github.com'): IdentityProvider {
  const { origin } = new URL(url);
  const api = apiOf(origin);
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
    profile: profileOf(api),
    subjectOf: ({ id }: Profile) => (Number.isSafeInteger(id) ? String(id) : undefined),
    claims: ['login', 'name', 'email', 'email_verified', 'organizations'],
    revocation: {
      method: 'DELETE' as const,
      url: (clientId: string) => `${api}/applications/${encodeURIComponent(clientId)}/token`,
      body: { type: 'json' as const, member: 'access_token' },
      takesRefreshTokens: false,
      credentials: 'basic' as const,
      unknownTokenStatus: 404,
    },
  });
}

/** Enterprise Cloud with data residency has a host for the API, as github.com has. Enterprise Server has a path. */
function apiOf(origin: string): string {
  const { hostname } = new URL(origin);
  if (origin === 'https://github.com' || hostname.endsWith('.ghe.com')) return origin.replace('//', '//api.');
  return `${origin}/api/v3`;
}

function profileOf(api: string): readonly ProfileSource[] {
  return [
    { url: `${api}/user`, read: readProfile },
    {
      url: `${api}/user/orgs?per_page=100`,
      isReadable: (login) => isGranted(login, ['read:org', 'write:org', 'admin:org', 'user']),
      read: readOrganizations,
    },
    {
      url: `${api}/user/emails?per_page=100`,
      isReadable: (login) => ['user:email', 'user'].some((scope) => scopesForEmail(login).includes(scope)),
      permission: {
        advice: 'a GitHub App needs the account permission "Email addresses" for it',
        isMissing: (login, answer) => isOfGithubApp(login) && isDenied(answer),
      },
      read: readEmail,
    },
  ];
}

/** GitHub Apps have permissions in place of scopes. Their tokens always list the organisations in which the app is installed. */
function isOfGithubApp({ token }: UpstreamLogin): boolean {
  return token.startsWith('ghu_');
}

/** A GitHub App is granted no scopes, so those of the policy say if the addresses are needed. Only its permissions say if it may read them. */
function scopesForEmail(login: UpstreamLogin): readonly string[] {
  return isOfGithubApp(login) ? login.asked : login.scopes;
}

function isGranted(login: UpstreamLogin, scopes: readonly string[]): boolean {
  return isOfGithubApp(login) || scopes.some((scope) => login.scopes.includes(scope));
}

/** GitHub refuses with 403 what a limit stops, too. A login must not count as one without addresses for that. */
function isDenied({ status, headers, text }: ProfileAnswer): boolean {
  const isLimited =
    headers.get('x-ratelimit-remaining') === '0' || headers.has('retry-after') || /rate limit|abuse/i.test(text);
  return (status === 403 || status === 404) && !isLimited;
}

function readOrganizations(answer: unknown): Profile | undefined {
  if (!Array.isArray(answer)) return undefined;
  const names = answer.map((organization: unknown) => (isRecord(organization) ? organization.login : undefined));
  return { organizations: names.filter((name) => typeof name === 'string') };
}

/** The primary address, if GitHub has verified it. The profile itself has only the public one, which most users do not set. */
function readEmail(answer: unknown): Profile | undefined {
  if (!Array.isArray(answer)) return undefined;
  const primary: unknown = answer.find((address: unknown) => isRecord(address) && address.primary === true);
  const isVerified = isRecord(primary) && primary.verified === true && typeof primary.email === 'string';
  return isVerified ? { email: primary.email, email_verified: true } : {};
}
