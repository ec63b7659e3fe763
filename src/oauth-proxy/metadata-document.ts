import { ACCEPTED_ALGORITHMS } from '../auth/keys/signature.js';
import { canParseUrl } from '../http/can-parse-url.js';
import { isSafe, type ServerMetadata } from '../upstream/server-metadata.js';
import type { OAuthProxyContext } from './context.js';
import { canRegisterFreely, registrationUrl } from './register-upstream.js';

/** The members copied from the upstream server. The others are set here, or left out because the OAuth proxy does not support them. */
const PASSED_ON_URLS = ['jwks_uri', 'service_documentation', 'op_policy_uri', 'op_tos_uri'];
const PASSED_ON_LISTS = [
  'claims_supported',
  'subject_types_supported',
  'id_token_signing_alg_values_supported',
  'ui_locales_supported',
];

/** The members that OpenID Connect Discovery requires. The MCP SDK refuses a document at that path without them. */
const DEMANDED_LISTS = { subject_types_supported: ['public'], id_token_signing_alg_values_supported: ['RS256'] };

/** Builds our metadata (RFC 8414, section 2) for each request, because the upstream metadata may change. */
export function buildServerMetadata(
  context: OAuthProxyContext,
  upstream: ServerMetadata,
): Readonly<Record<string, unknown>> {
  const { options, endpoints } = context;
  const takesDocuments = acceptsDocuments(context, upstream);
  const authentication = authenticationMethods(options, takesDocuments);
  return {
    issuer: options.resource.href,
    authorization_endpoint: endpoints.authorize,
    token_endpoint: endpoints.token,
    ...(canRegister(options, upstream) ? { registration_endpoint: endpoints.registration } : {}),
    ...(canRevoke(options, upstream)
      ? { revocation_endpoint: endpoints.revocation, ...prefixed('revocation', authentication) }
      : {}),
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
    ...prefixed('token', authentication),
    ...(takesDocuments ? { client_id_metadata_document_supported: true } : {}),
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    ...DEMANDED_LISTS,
    ...scopesSupported(options, upstream),
    ...passedOn(options, upstream),
  };
}

/** A client that finds documents announced does not register, so they are announced only if such a client can log in. */
function acceptsDocuments({ options, announcesDocuments }: OAuthProxyContext, upstream: ServerMetadata): boolean {
  return announcesDocuments && (options.client !== undefined || canRegisterFreely(options, upstream));
}

/**
 * The ways in which clients authenticate at the token endpoint and at the revocation endpoint. Clients that registered and share the
 * configured client are public: this server adds the secret, if there is one. Others may have got a secret of their own.
 */
function authenticationMethods(
  { client, clients }: OAuthProxyContext['options'],
  takesDocuments: boolean,
): Readonly<Record<string, readonly string[]>> {
  const withSecret = [...clients.values()].some(({ secretHash }) => secretHash !== undefined);
  const takesSecrets = withSecret || client === undefined;
  const methods = [
    'none',
    ...(takesSecrets ? ['client_secret_basic', 'client_secret_post'] : []),
    ...(takesDocuments ? ['private_key_jwt'] : []),
  ];
  return {
    auth_methods_supported: methods,
    ...(takesDocuments ? { auth_signing_alg_values_supported: ACCEPTED_ALGORITHMS } : {}),
  };
}

function prefixed(endpoint: 'token' | 'revocation', members: Readonly<Record<string, readonly string[]>>) {
  return Object.fromEntries(Object.entries(members).map(([name, value]) => [`${endpoint}_endpoint_${name}`, value]));
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
    typeof value === 'string' && canParseUrl(value) && isSafe(new URL(value), { issuer, allowHttp });
  const names = [
    ...PASSED_ON_URLS.filter((name) => isUrl(document[name])),
    ...PASSED_ON_LISTS.filter((name) => isTextList(document[name])),
  ];
  return Object.fromEntries(names.map((name) => [name, document[name]]));
}

function canRegister(options: OAuthProxyContext['options'], upstream: ServerMetadata): boolean {
  return options.registration && (options.client !== undefined || registrationUrl(options, upstream) !== undefined);
}

/**
 * Tokens that this server issued can always be revoked. The configured secret is only sent with codes and refresh tokens, so the
 * configured client's tokens cannot be revoked here.
 */
export function canRevoke({ client, issuing }: OAuthProxyContext['options'], upstream: ServerMetadata): boolean {
  if (issuing !== undefined) return true;
  return upstream.revocationEndpoint !== undefined && client?.secret === undefined;
}
