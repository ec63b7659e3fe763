import {
  OPENID_SCOPES,
  type ProviderBehaviour,
  promptsOf,
  type Refusal,
  scopesOf,
  unknownScope,
} from './provider-behaviour.js';

/**
 * Cognito user pools: metadata without PKCE, no registration, no `aud`. An unknown scope, `offline_access` among them, is refused, and
 * so is a resource that is not https, or without managed login. A refresh does not renew the refresh token.
 */
export const cognito: ProviderBehaviour = {
  issuer: '/eu-central-1_Pool1',
  paths: {
    metadata: ['/eu-central-1_Pool1/.well-known/openid-configuration'],
    jwks: '/eu-central-1_Pool1/.well-known/jwks.json',
    authorize: '/oauth2/authorize',
    token: '/oauth2/token',
    revocation: '/oauth2/revoke',
  },
  metadata: { token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'] },
  sendsIss: false,
  scopes: ['openid', 'email', 'phone', 'profile'],
  keepsRefreshToken: true,
  refuse(request) {
    const resource = request.get('resource');
    const isWrong = resource !== null && !/^(?:https:\/\/|http:\/\/localhost)/.test(resource);
    const unknown = unknownScope(request, ['openid', 'email', 'phone', 'profile', 'mcp.read']);
    return isWrong || unknown !== undefined ? ['invalid_request', 'invalid_scope'] : undefined;
  },
  claims: (request) => ({ client_id: request.get('client_id'), scope: request.get('scope'), token_use: 'access' }),
};

const HYDRA_PROMPTS = ['none', 'login', 'consent', 'registration'];

/** The checks of Ory's OAuth library, which Ory Hydra, Clerk and Authelia use. */
function refuseAsFosite(request: URLSearchParams, scopes: readonly string[]): Refusal | undefined {
  const unknown = unknownScope(request, scopes);
  if (unknown !== undefined) {
    return ['invalid_scope', `The OAuth 2.0 Client is not allowed to request scope '${unknown}'.`];
  }
  const prompts = promptsOf(request);
  const isKnown = prompts.every((prompt) => HYDRA_PROMPTS.includes(prompt));
  return isKnown ? undefined : ['invalid_request', `Used unknown value '[${prompts.join(' ')}]' for prompt parameter`];
}

/** Clerk: no `aud`; refuses scopes that were not chosen for the client, although its metadata lists them; takes secrets as Basic only. */
export const clerk: ProviderBehaviour = {
  issuer: '',
  paths: {
    metadata: ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration'],
    jwks: '/.well-known/jwks.json',
    authorize: '/oauth/authorize',
    token: '/oauth/token',
    registration: '/oauth/register',
    revocation: '/oauth/token/revoke',
  },
  metadata: { token_endpoint_auth_methods_supported: ['client_secret_basic', 'none'] },
  tokenEndpointAuthMethod: 'client_secret_basic',
  sendsIss: true,
  scopes: [...OPENID_SCOPES, 'public_metadata', 'private_metadata'],
  refreshesOffline: true,
  // A client that registers without a scope gets these.
  refuse: (request, { id, scope = 'email offline_access profile' }) =>
    refuseAsFosite(request, id === 'clerk-app' ? [...OPENID_SCOPES, 'mcp.read'] : scope.split(' ')),
  claims: (request) => ({ client_id: request.get('client_id'), scope: request.get('scope') }),
};

/**
 * ZITADEL, an application that issues JWTs: a login needs `openid`; other scopes than its own are discarded, and neither token nor answer
 * names any; the audience is the clients of the project, the project, and those that a scope names.
 */
export const zitadel: ProviderBehaviour = {
  issuer: '',
  paths: {
    metadata: ['/.well-known/openid-configuration'],
    jwks: '/oauth/v2/keys',
    authorize: '/oauth/v2/authorize',
    token: '/oauth/v2/token',
    revocation: '/oauth/v2/revoke',
  },
  sendsIss: false,
  scopes: [...OPENID_SCOPES, 'phone', 'address'],
  refreshesOffline: true,
  refuse(request) {
    const prompts = promptsOf(request);
    if (prompts.length > 1 && prompts.includes('none')) {
      return ['invalid_request', 'The prompt parameter `none` must only be used as a single value'];
    }
    if (scopesOf(request).length === 0) return ['invalid_request', 'The scope of your request is missing.'];
    if (scopesOf(request).includes('openid')) return undefined;
    return ['invalid_scope', 'The scope openid is missing in your request.'];
  },
  grant: (scopes) =>
    scopes.filter(
      (scope) => [...OPENID_SCOPES, 'phone', 'address'].includes(scope) || scope.startsWith('urn:zitadel:iam:'),
    ),
  answeredScopes: () => undefined,
  claims: (request) => ({
    aud: [
      request.get('client_id'),
      'project-1',
      ...scopesOf(request).flatMap((scope) => /^urn:zitadel:iam:org:project:id:(.*):aud$/.exec(scope)?.[1] ?? []),
    ],
  }),
};

const HYDRA_AUDIENCE = 'https://api.example/mcp';

/** Ory Hydra with JWT access tokens: the audience is that of `audience`, which must be in the client's list; ignores `resource`. */
export const hydra: ProviderBehaviour = {
  issuer: '/',
  paths: {
    metadata: ['/.well-known/openid-configuration'],
    jwks: '/.well-known/jwks.json',
    authorize: '/oauth2/auth',
    token: '/oauth2/token',
    revocation: '/oauth2/revoke',
  },
  sendsIss: true,
  scopes: ['openid', 'offline_access', 'offline'],
  refreshesOffline: true,
  refuse(request) {
    const audience = request.get('audience') ?? HYDRA_AUDIENCE;
    if (audience !== HYDRA_AUDIENCE) {
      return ['invalid_request', `Requested audience '${audience}' has not been whitelisted by the OAuth 2.0 Client.`];
    }
    return refuseAsFosite(request, ['openid', 'offline_access', 'offline', 'mcp.read']);
  },
  claims: (request) => ({
    aud: request.has('audience') ? [request.get('audience')] : [],
    client_id: request.get('client_id'),
    scp: scopesOf(request),
  }),
};

const UNPROCESSABLE = ['invalid_request', 'authorization request cannot be processed'] as const;

/**
 * Supabase: cannot process a login with `resource` or `offline_access`, nor one of a client without a secret; has four scopes, which
 * its tokens do not name; every token of a project has the same `aud`.
 */
export const supabase: ProviderBehaviour = {
  issuer: '/auth/v1',
  paths: {
    metadata: ['/.well-known/oauth-authorization-server/auth/v1', '/auth/v1/.well-known/openid-configuration'],
    jwks: '/auth/v1/.well-known/jwks.json',
    authorize: '/auth/v1/oauth/authorize',
    token: '/auth/v1/oauth/token',
  },
  metadata: { token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'] },
  sendsIss: false,
  scopes: ['openid', 'profile', 'email', 'phone'],
  refuse(request, { secret }) {
    const unknown = unknownScope(request, ['openid', 'profile', 'email', 'phone']);
    return request.has('resource') || unknown !== undefined || secret === undefined ? UNPROCESSABLE : undefined;
  },
  claims: (request) => ({ aud: 'authenticated', client_id: request.get('client_id'), role: 'authenticated' }),
};

/** A server from before PKCE and `resource`, which refuses parameters that it does not know. */
export const withoutPkce: ProviderBehaviour = {
  issuer: '/older',
  paths: {
    metadata: ['/older/.well-known/openid-configuration'],
    jwks: '/older/keys',
    authorize: '/older/authorize',
    token: '/older/token',
  },
  pkce: false,
  tokenEndpointAuthMethod: 'client_secret_post',
  sendsIss: false,
  scopes: ['openid', 'offline_access', 'mcp.read'],
  refuse: (request) => (request.has('resource') ? ['invalid_request', 'Unknown parameter: resource'] : undefined),
  claims: (request) => ({ aud: HYDRA_AUDIENCE, scope: request.get('scope') }),
};
