import { printableJson } from '../core/printable.js';
import type { Parameters } from '../http/form.js';
import { splitAtSpaces } from '../providers/identity/identity-provider.js';
import type { Client } from './client.js';
import type { OAuthProxyContext } from './context.js';
import { type LoginScopes, loginScopes } from './login-scopes.js';
import { OAuthError, type OAuthErrorName } from './oauth-error.js';
import { isAllowedRedirectUri, registeredRedirectUri } from './redirect-uri.js';
import { requireOurResource } from './require-our-resource.js';

/** The client of an authorization request and its redirect URI, both checked before anything is sent there. */
export interface Requester {
  readonly client: Client;
  readonly redirectUri: string;
  /** The registered redirect URI that it matches. On loopback the ports may differ. */
  readonly registeredUri: string;
  readonly state: string | undefined;
}

/** The rest of a client's authorization request (RFC 6749, section 4.1.1; RFC 7636, section 4.3), checked. */
export interface AuthorizationRequest extends LoginScopes {
  readonly codeChallenge: string;
  /** The prompts that the client wants for its user (OpenID Connect Core, section 3.1.2.1). */
  readonly prompts: readonly string[];
  /** The parameters that the upstream server gets unchanged. */
  readonly passedOn: readonly (readonly [name: string, value: string])[];
}

const MAX_LOGGED = 300;
const MAX_STATE_LENGTH = 4_096;
const MAX_SCOPE_LENGTH = 2_048;
/** The characters of scopes (RFC 6749, section 3.3), and the space that separates them. */
const SCOPES = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;
/** RFC 7636, section 4.2: SHA-256, base64url. */
const S256_CHALLENGE = /^[A-Za-z0-9_-]{43}$/;
/** A redirect URI that the client does not have, by the place where its redirect URIs are. */
const UNKNOWN_URI: Readonly<Record<Client['source'], { readonly message: string; readonly advice?: string }>> = {
  registered: { message: 'This client has not registered this redirect URI' },
  configured: {
    message: 'This client may not use this redirect URI',
    advice: 'to allow it, add it to redirectUris of this client in oauthProxy.clients',
  },
  document: {
    message: 'The client metadata document does not name this redirect URI',
    advice: 'correct the client, or tell the publisher of the document',
  },
};
const PASSED_ON = ['login_hint', 'max_age', 'acr_values', 'ui_locales'];

/**
 * Checks the redirect URI of an authorization request.
 *
 * @throws {OAuthError} It must not be sent to the redirect URI, which may be an attacker's (RFC 6749, section 4.1.2.1).
 */
export function requireRequester(
  parameters: Parameters,
  client: Client,
  { allowedRedirectUris }: OAuthProxyContext['options'],
): Requester {
  const redirectUri = parameters.get('redirect_uri') ?? '';
  const registeredUri = registeredRedirectUri(redirectUri, client.redirectUris);
  if (registeredUri === undefined) {
    const { message, advice } = UNKNOWN_URI[client.source];
    throw refusedUri('invalid_request', message, redirectUri, advice);
  }
  // Checked again: the operator may have changed `allowedRedirectUris` since the registration. `clients` is the operator's own list.
  if (client.source !== 'configured' && !isAllowedRedirectUri(redirectUri, allowedRedirectUris)) {
    throw refusedUri('invalid_redirect_uri', 'This server does not allow this redirect URI', redirectUri);
  }
  return { client, redirectUri, registeredUri, state: parameters.get('state') };
}

/** Only the log names the redirect URI: a link can have any text in its place, which the error page would show. */
function refusedUri(error: OAuthErrorName, message: string, redirectUri: string, advice?: string): OAuthError {
  const reason = `${message}: ${printableJson(redirectUri, MAX_LOGGED)}`;
  return new OAuthError(error, message, 400, advice === undefined ? { reason } : { reason, advice });
}

/**
 * Checks the rest of an authorization request.
 *
 * @throws {OAuthError} It is sent to the client's redirect URI.
 */
export function parseAuthorizationRequest(
  parameters: Parameters,
  client: Client,
  options: OAuthProxyContext['options'],
): AuthorizationRequest {
  const refuseUnless = (good: boolean, error: OAuthError['error'], description: string) => {
    if (!good) throw new OAuthError(error, description);
  };
  const get = (name: string) => parameters.get(name) ?? '';
  const codeChallenge = get('code_challenge');
  refuseUnless(parameters.has('response_type'), 'invalid_request', 'response_type is missing: it must be code');
  refuseUnless(get('response_type') === 'code', 'unsupported_response_type', 'response_type must be code');
  refuseUnless(S256_CHALLENGE.test(codeChallenge), 'invalid_request', 'PKCE is required: code_challenge');
  refuseUnless(get('code_challenge_method') === 'S256', 'invalid_request', 'code_challenge_method must be S256');
  refuseUnless(['', 'query'].includes(get('response_mode')), 'invalid_request', 'response_mode must be query');
  const isObject = parameters.has('request') || parameters.has('request_uri');
  refuseUnless(!isObject, 'invalid_request', 'Request objects are not accepted');
  refuseUnless(get('state').length <= MAX_STATE_LENGTH, 'invalid_request', 'state is too long');
  refuseUnless(get('scope').length <= MAX_SCOPE_LENGTH, 'invalid_scope', 'scope is too long');
  refuseUnless(SCOPES.test(get('scope')), 'invalid_scope', 'scope contains a character that a scope cannot have');
  requireOurResource(parameters, options.resource.href);
  return {
    ...loginScopes(options, client, splitAtSpaces(get('scope'))),
    codeChallenge,
    prompts: splitAtSpaces(get('prompt')),
    passedOn: PASSED_ON.flatMap((name) => (parameters.has(name) ? [[name, get(name)] as const] : [])),
  };
}
