import { isSafe, type ServerMetadata } from '../upstream/server-metadata.js';
import type { OAuthProxyContext } from './context.js';

/** The members copied from the upstream server. The others are set here, or left out because the OAuth proxy does not support them. */
const PASSED_ON_URLS = ['jwks_uri', 'service_documentation', 'op_policy_uri', 'op_tos_uri'];
const PASSED_ON_LISTS = [
  'claims_supported',
  'subject_types_supported',
  'id_token_signing_alg_values_supported',
  'ui_locales_supported',
];

/** Builds our metadata (RFC 8414, section 2) for each request, because the upstream metadata may change. */
export function buildServerMetadata(
  { options, endpoints }: OAuthProxyContext,
  upstream: ServerMetadata,
): Readonly<Record<string, unknown>> {
  // Clients that share the configured client are public: this server adds the secret, if there is one.
  const methods = options.client === undefined ? ['none', 'client_secret_basic', 'client_secret_post'] : ['none'];
  return {
    issuer: options.resource.href,
    authorization_endpoint: endpoints.authorize,
    token_endpoint: endpoints.token,
    ...(canRegister(options, upstream) ? { registration_endpoint: endpoints.registration } : {}),
    ...(canRevoke(options, upstream)
      ? { revocation_endpoint: endpoints.revocation, revocation_endpoint_auth_methods_supported: methods }
      : {}),
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_methods_supported: methods,
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    ...scopesSupported(options, upstream),
    ...passedOn(options, upstream),
  };
}

/**
 * Adds the scopes of our resource: many servers list none, only their own, or spell ours differently, and some clients ask at a
 * refresh only for scopes of this list.
 */
function scopesSupported(
  { scopes, provider }: OAuthProxyContext['options'],
  { document }: ServerMetadata,
): Record<string, unknown> {
  const listed = isTextList(document.scopes_supported) ? document.scopes_supported : [];
  const known = [...listed, ...scopes].filter((scope) => !provider.omittedScopes.includes(scope));
  const all = [...new Set(known)];
  // RFC 8414, section 3.2: members with zero elements are left out.
  return all.length === 0 ? {} : { scopes_supported: all };
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

/** Clients trust these members as ours, so each one of the wrong type, and each unsafe URL, is left out. */
function passedOn(
  { allowHttp }: OAuthProxyContext['options'],
  { document, issuer }: ServerMetadata,
): Record<string, unknown> {
  const isUrl = (value: unknown) =>
    typeof value === 'string' && URL.canParse(value) && isSafe(new URL(value), { issuer, allowHttp });
  const names = [
    ...PASSED_ON_URLS.filter((name) => isUrl(document[name])),
    ...PASSED_ON_LISTS.filter((name) => isTextList(document[name])),
  ];
  return Object.fromEntries(names.map((name) => [name, document[name]]));
}

function canRegister({ client, provider, issuer }: OAuthProxyContext['options'], upstream: ServerMetadata): boolean {
  if (client !== undefined) return true;
  return (upstream.registrationEndpoint ?? provider.registration?.url(issuer)) !== undefined;
}

/** The configured secret is only sent with codes and refresh tokens, so the configured client's tokens cannot be revoked here. */
export function canRevoke({ client }: OAuthProxyContext['options'], upstream: ServerMetadata): boolean {
  return upstream.revocationEndpoint !== undefined && client?.secret === undefined;
}
