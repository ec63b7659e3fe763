import { isSafe, type ServerMetadata } from '../upstream/server-metadata.js';
import type { OAuthProxyContext } from './context.js';

/** The members that are copied from the upstream server. All others are set here, or left out since the OAuth proxy cannot honour them. */
const PASSED_ON_URLS = ['jwks_uri', 'service_documentation', 'op_policy_uri', 'op_tos_uri'];
const PASSED_ON_LISTS = [
  'claims_supported',
  'subject_types_supported',
  'id_token_signing_alg_values_supported',
  'ui_locales_supported',
];

/** Our metadata (RFC 8414, section 2), in answer to each request, since the upstream server may change its own. */
export function buildServerMetadata(
  { options, endpoints }: OAuthProxyContext,
  upstream: ServerMetadata,
): Readonly<Record<string, unknown>> {
  // A shared client is public to us: its secret, where it has one, is ours to send.
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
 * With the scopes of our resource: many servers list their own only, or spell these otherwise, and some clients ask at a refresh
 * for those of this list alone.
 */
function scopesSupported(
  { scopes }: OAuthProxyContext['options'],
  { document }: ServerMetadata,
): Record<string, unknown> {
  const { scopes_supported: listed } = document;
  return isTextList(listed) ? { scopes_supported: [...new Set([...listed, ...scopes])] } : {};
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

/** Clients would believe that these come from us, so each is left out that is not what it should be. */
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

/** The configured secret is sent with codes and refresh tokens only, so its client's tokens cannot be revoked through us. */
export function canRevoke({ client }: OAuthProxyContext['options'], upstream: ServerMetadata): boolean {
  return upstream.revocationEndpoint !== undefined && client?.secret === undefined;
}
