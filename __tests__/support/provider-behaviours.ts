import type { ProviderBehaviour } from './provider-server.js';

const API = 'https://api.example/mcp';

/** Keycloak: sends `iss`, does not know `resource` (a mapper writes the audience), and anybody on this machine may register. */
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
  refuseRegistration: ({ scope }) =>
    scope === undefined ? undefined : ['insufficient_scope', "Policy 'Allowed Client Scopes' rejected request"],
  claims: () => ({ aud: ['mcp_proxy', 'account'], scope: 'profile' }),
};

/** Auth0: without `audience` the access token is opaque; the issuer ends in a slash; sends `iss`. */
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
  refuse: (request) =>
    [null, API].includes(request.get('audience')) ? undefined : ['access_denied', 'Service not found'],
  claims: (request) => (request.get('audience') === API ? { aud: [API], scope: request.get('scope') } : undefined),
};

/** Okta: a custom authorization server; registration belongs to the organisation and wants an API token; `scp`. */
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
  registrationCredentials: 'SSWS 00api-token',
  claims: (request) => ({ aud: request.get('audience') ?? 'api://default', scp: request.get('scope')?.split(' ') }),
};

const TENANT = '/11111111-2222-3333-4444-555555555555';
const ENTRA_SCOPES = ['openid', 'profile', 'email', 'offline_access'];

/** Entra ID, v2.0: refuses `resource`, has no registration, and takes a scope without a resource for one of Microsoft Graph. */
const entra: ProviderBehaviour = {
  issuer: `${TENANT}/v2.0`,
  paths: {
    metadata: [`${TENANT}/v2.0/.well-known/openid-configuration`],
    jwks: `${TENANT}/discovery/v2.0/keys`,
    authorize: `${TENANT}/oauth2/v2.0/authorize`,
    token: `${TENANT}/oauth2/v2.0/token`,
  },
  sendsIss: false,
  metadata: { token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt', 'client_secret_basic'] },
  refuse(request) {
    if (request.has('resource')) return ['invalid_target', 'AADSTS9010010: resource does not match the scope'];
    const scopes = (request.get('scope') ?? '').split(' ');
    const known = scopes.every((scope) => ENTRA_SCOPES.includes(scope) || scope.startsWith('api://'));
    return known ? undefined : ['invalid_scope', 'AADSTS70011: The provided value for scope is not valid'];
  },
  refuseToken: (request) => (request.has('resource') ? ['invalid_target', 'AADSTS9010010: resource'] : undefined),
  claims: (request) => ({
    aud: request.get('client_id'),
    scp: request
      .get('scope')
      ?.split(' ')
      .filter((scope) => scope.startsWith('api://'))
      .map((scope) => scope.slice(scope.lastIndexOf('/') + 1))
      .join(' '),
  }),
};

/** authentik: no registration, and the client id is the audience. */
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
  claims: (request) => ({ aud: request.get('client_id'), scope: request.get('scope') }),
};

/** Descope: keys belong to the project, registration wants a management key, and `resource` makes the audience. */
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
  registrationCredentials: 'Bearer P1:management-key',
  claims: (request) =>
    request.has('resource') ? { aud: request.get('resource'), scope: request.get('scope') } : { aud: 'P1' },
};

/** Each kind, and the policy that its documentation leads to; `resource` stands for what is known only later. */
export const PROVIDER_BEHAVIOURS = {
  keycloak: { kind: keycloak, policy: { audiences: ['mcp_proxy'] }, client: undefined },
  auth0: { kind: auth0, policy: { audiences: [API] }, client: undefined },
  okta: { kind: okta, policy: { audiences: [API] }, client: { id: '0oa1' } },
  entra: {
    kind: entra,
    policy: { audiences: ['app-id'], requiredScopes: ['mcp.read'] },
    client: { id: 'app-id', secret: 'the~secret of the app' },
  },
  authentik: { kind: authentik, policy: { audiences: ['mcp'] }, client: { id: 'mcp' } },
  descope: { kind: descope, policy: {}, client: { id: 'P1S1' } },
} as const;

export type BehaviourName = keyof typeof PROVIDER_BEHAVIOURS;
