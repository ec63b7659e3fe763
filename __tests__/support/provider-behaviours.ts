import { clerk, cognito, hydra, supabase, withoutPkce, zitadel } from './further-behaviours.js';
import { OPENID_SCOPES, type ProviderBehaviour, promptsOf, type Refusal, unknownScope } from './provider-behaviour.js';

const API = 'https://api.example/mcp';

/** The registration members that Keycloak accepts, of those that MCP clients send. It refuses all others. */
const KEYCLOAK_MEMBERS = [
  ...['redirect_uris', 'client_name', 'client_uri', 'logo_uri', 'tos_uri', 'policy_uri', 'contacts', 'scope'],
  ...['software_id', 'software_version', 'application_type', 'grant_types', 'response_types'],
  'token_endpoint_auth_method',
];

/** Answers anonymous registrations like Keycloak 26.7 if the host of the callback is trusted. */
const refuseAtKeycloak: ProviderBehaviour['refuseRegistration'] = (metadata) => {
  const unknown = Object.keys(metadata).find((name) => !KEYCLOAK_MEMBERS.includes(name));
  if (unknown !== undefined) return [400, `Invalid json representation. Unrecognized field "${unknown}"`];
  const refused = (policy: string, why: string) =>
    [403, 'insufficient_scope', `Policy '${policy}' rejected request. Details: ${why}`] as const;
  const { client_uri: uri, scope } = metadata;
  if (typeof uri === 'string' && new URL(uri).hostname !== '127.0.0.1') {
    return refused('Trusted Hosts', "URL doesn't match any trusted host or trusted domain");
  }
  return scope === undefined
    ? undefined
    : refused('Allowed Client Scopes', 'Not permitted to use specified clientScope');
};

/**
 * Keycloak: sends `iss`, ignores `resource` (a mapper sets the audience), lets every client on this machine register, and refuses
 * scopes that the realm does not have.
 */
const keycloak: ProviderBehaviour = {
  issuer: '/realms/mcp',
  paths: {
    metadata: ['/realms/mcp/.well-known/openid-configuration'],
    jwks: '/realms/mcp/protocol/openid-connect/certs',
    authorize: '/realms/mcp/protocol/openid-connect/auth',
    token: '/realms/mcp/protocol/openid-connect/token',
    registration: '/realms/mcp/clients-registrations/openid-connect',
    revocation: '/realms/mcp/protocol/openid-connect/revoke',
  },
  sendsIss: true,
  scopes: ['openid', 'profile', 'offline_access', 'mcp.read'],
  refuseRegistration: refuseAtKeycloak,
  refuse: (request) => refuseUnknown(request, ['openid', 'profile', 'offline_access', 'mcp.read'], 'Invalid scopes'),
  claims: () => ({ aud: ['mcp_proxy', 'account'], scope: 'profile' }),
};

/** Auth0: without `audience`, the access token is opaque; the issuer ends with a slash; sends `iss`; ignores `resource` and unknown scopes. */
const auth0: ProviderBehaviour = {
  issuer: '/',
  paths: {
    metadata: ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration'],
    jwks: '/.well-known/jwks.json',
    authorize: '/authorize',
    token: '/oauth/token',
    registration: '/oidc/register',
    revocation: '/oauth/revoke',
  },
  sendsIss: true,
  scopes: ['openid', 'profile', 'offline_access', 'name', 'email'],
  refreshesOffline: true,
  refuse: (request) =>
    [null, API].includes(request.get('audience')) ? undefined : ['access_denied', 'Service not found'],
  grant: (scopes) => scopes.filter((scope) => [...OPENID_SCOPES, 'name', 'mcp.read'].includes(scope)),
  claims: (request) => (request.get('audience') === API ? { aud: [API], scope: request.get('scope') } : undefined),
};

const OKTA_SCOPES = ['openid', 'profile', 'email', 'address', 'phone', 'offline_access', 'mcp.read'];
const OKTA_PROMPTS = ['none', 'login', 'consent', 'enroll_authenticator'];

/** Okta: a custom authorization server; registration is at the organisation and requires an API token; scopes are in `scp`. */
const okta: ProviderBehaviour = {
  issuer: '/oauth2/default',
  paths: {
    metadata: ['/oauth2/default/.well-known/openid-configuration'],
    jwks: '/oauth2/default/v1/keys',
    authorize: '/oauth2/default/v1/authorize',
    token: '/oauth2/default/v1/token',
    registration: '/oauth2/v1/clients',
  },
  sendsIss: false,
  scopes: ['openid', 'profile', 'email', 'address', 'phone', 'offline_access'],
  refreshesOffline: true,
  refuse(request) {
    const unsupported = promptsOf(request).find((prompt) => !OKTA_PROMPTS.includes(prompt));
    if (unsupported !== undefined) return ['invalid_request', `The prompt ${unsupported} is not supported`];
    if (!request.has('scope'))
      return ['invalid_scope', "The authorization server has no default scopes: 'scope' is needed"];
    return refuseUnknown(request, OKTA_SCOPES, 'One or more scopes are not configured');
  },
  registrationCredentials: 'SSWS 00api-token',
  // The administrator has made it the audience of this authorization server.
  claims: (request) => ({ aud: API, scp: request.get('scope')?.split(' ') }),
};

const TENANT = '/11111111-2222-3333-4444-555555555555';
const ENTRA_PROMPTS = ['login', 'none', 'consent', 'select_account', 'create'];
const isOfApplication = (scope: string) => scope.startsWith('api://');

/**
 * Entra ID, v2.0: refuses `resource`, has no registration, treats a scope without a resource as one of Microsoft Graph, accepts at
 * most one prompt, and treats a refresh without scopes as one for the application itself. In this tenant, an administrator has
 * consented for all users, who may not consent themselves.
 */
const entra: ProviderBehaviour = {
  issuer: `${TENANT}/v2.0`,
  paths: {
    metadata: [`${TENANT}/v2.0/.well-known/openid-configuration`],
    jwks: `${TENANT}/discovery/v2.0/keys`,
    authorize: `${TENANT}/oauth2/v2.0/authorize`,
    token: `${TENANT}/oauth2/v2.0/token`,
  },
  sendsIss: false,
  scopes: OPENID_SCOPES,
  refreshesOffline: true,
  metadata: { token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt', 'client_secret_basic'] },
  refuse(request) {
    if (request.has('resource')) return ['invalid_target', 'AADSTS9010010: resource does not match the scope'];
    const prompt = request.get('prompt');
    if (prompt !== null && !ENTRA_PROMPTS.includes(prompt)) {
      return ['invalid_request', "AADSTS90023: Unsupported 'prompt' value"];
    }
    if (prompt === 'consent') return ['access_denied', 'AADSTS90095: Admin consent is required for these permissions'];
    const scopes = (request.get('scope') ?? '').split(' ');
    if (scopes[0] === '') return ['invalid_request', "AADSTS900144: The request must contain the parameter 'scope'"];
    const known = scopes.every((scope) => OPENID_SCOPES.includes(scope) || isOfApplication(scope));
    return known ? undefined : ['invalid_scope', 'AADSTS70011: The provided value for scope is not valid'];
  },
  refuseToken(request) {
    if (request.has('resource')) return ['invalid_target', 'AADSTS9010010: resource'];
    const isForItself = !(request.get('scope') ?? '').split(' ').some(isOfApplication);
    return isForItself && request.get('grant_type') === 'refresh_token'
      ? ['invalid_request', 'AADSTS90009: Application is requesting a token for itself']
      : undefined;
  },
  // Its token responses do not name `offline_access`.
  answeredScopes: (scopes) => scopes.filter(isOfApplication),
  claims: (request) => ({
    aud: request.get('client_id'),
    scp: request
      .get('scope')
      ?.split(' ')
      .filter(isOfApplication)
      .map((scope) => scope.slice(scope.lastIndexOf('/') + 1))
      .join(' '),
  }),
};

/** authentik: no registration; the client id is the audience; ignores unknown scopes and prompts. */
const authentik: ProviderBehaviour = {
  issuer: '/application/o/mcp/',
  paths: {
    metadata: ['/application/o/mcp/.well-known/openid-configuration'],
    jwks: '/application/o/mcp/jwks/',
    authorize: '/application/o/authorize/',
    token: '/application/o/token/',
    revocation: '/application/o/revoke/',
  },
  sendsIss: false,
  scopes: [...OPENID_SCOPES, 'mcp.read'],
  refreshesOffline: true,
  grant: (scopes) => scopes.filter((scope) => [...OPENID_SCOPES, 'mcp.read'].includes(scope)),
  claims: (request) => ({ aud: request.get('client_id'), scope: request.get('scope') }),
};

/** Descope: the keys belong to the project, registration requires a management key, and `resource` sets the audience. */
const descope: ProviderBehaviour = {
  issuer: '/v1/apps/agentic/P1/S1',
  paths: {
    metadata: ['/v1/apps/agentic/P1/S1/.well-known/openid-configuration'],
    jwks: '/P1/.well-known/jwks.json',
    authorize: '/oauth2/v1/apps/agentic/P1/S1/authorize',
    token: '/oauth2/v1/apps/agentic/P1/S1/token',
    registration: '/v1/mgmt/mcp/client/P1/S1/register',
  },
  sendsIss: true,
  scopes: ['openid', 'offline_access', 'mcp.read'],
  registrationCredentials: 'Bearer P1:management-key',
  claims: (request) =>
    request.has('resource') ? { aud: request.get('resource'), scope: request.get('scope') } : { aud: 'P1' },
};

function refuseUnknown(request: URLSearchParams, known: readonly string[], description: string): Refusal | undefined {
  return unknownScope(request, known) === undefined ? undefined : ['invalid_scope', description];
}

export interface Setup {
  readonly kind: ProviderBehaviour;
  /** The policy that docs/providers.md recommends. */
  readonly policy: Readonly<Record<string, unknown>>;
  /** The scopes that the resource announces, if the server knows no others. */
  readonly scopes?: readonly string[];
  /** Undefined if clients register themselves. */
  readonly client: { readonly id: string; readonly secret?: string } | undefined;
}

/** Each kind of server, and the policy that our documentation recommends for it. */
export const PROVIDER_BEHAVIOURS = {
  keycloak: { kind: keycloak, policy: { provider: { keycloak: {} }, audiences: ['mcp_proxy'] }, client: undefined },
  auth0: { kind: auth0, policy: { provider: { auth0: {} }, audiences: [API] }, client: undefined },
  okta: { kind: okta, policy: { provider: { okta: {} }, audiences: [API] }, client: { id: '0oa1' } },
  entra: {
    kind: entra,
    policy: { provider: { entra: {} }, audiences: ['app-id'], requiredScopes: ['mcp.read'] },
    client: { id: 'app-id', secret: 'the~secret of the app' },
  },
  authentik: { kind: authentik, policy: { provider: { authentik: {} }, audiences: ['mcp'] }, client: { id: 'mcp' } },
  descope: { kind: descope, policy: { provider: { descope: {} } }, client: { id: 'P1S1' } },
  cognito: {
    kind: cognito,
    policy: { provider: { cognito: {} } },
    scopes: ['mcp.read'],
    client: { id: 'app-client', secret: 'hush' },
  },
  clerk: { kind: clerk, policy: { provider: { clerk: {} } }, client: { id: 'clerk-app', secret: 'hush' } },
  zitadel: {
    kind: zitadel,
    policy: { provider: { zitadel: {} }, audiences: ['project-1'] },
    client: { id: '123@project' },
  },
  hydra: {
    kind: hydra,
    policy: { provider: { standard: { audience: true, resource: false } }, audiences: [API] },
    client: { id: 'hydra-client' },
  },
  supabase: {
    kind: supabase,
    policy: {
      provider: { standard: { resource: false, omittedScopes: ['offline_access'] } },
      audienceClaim: 'client_id',
    },
    scopes: ['openid', 'email'],
    client: { id: 'supabase-app', secret: 'hush' },
  },
  withoutPkce: {
    kind: withoutPkce,
    policy: {
      provider: { standard: { pkce: false, resource: false, tokenEndpointAuthMethod: 'client_secret_post' } },
      audiences: [API],
    },
    client: { id: 'legacy', secret: 'hush' },
  },
} satisfies Record<string, Setup>;

export type BehaviourName = keyof typeof PROVIDER_BEHAVIOURS;
