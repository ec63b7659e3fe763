import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type Parameters, readForm } from '../http/form.js';
import { type AuthenticatedClient, authenticateClient } from './client-authentication.js';
import type { OAuthProxyContext } from './context.js';
import { fingerprint } from './fingerprint.js';
import { OAuthError } from './oauth-error.js';
import type { Act } from './refusal-remedy.js';
import { REPEATABLE, requireOurResource } from './require-our-resource.js';
import type { OAuthProxySeal, SealedContents } from './sealed-contents.js';

/** Bytes of a form that a client sends to the token or the revocation endpoint. */
export const MAX_FORM_BYTES = 65_536;

/** A request to the token endpoint, whose client is authenticated. Its grant is not checked yet. */
export interface TokenRequest {
  readonly form: Parameters;
  readonly authenticated: AuthenticatedClient;
  /** The fingerprint of the client's id, as sealed values have it. */
  readonly client: string;
  readonly grantType: 'authorization_code' | 'refresh_token';
}

const ACT_OF_GRANT: ReadonlyMap<string, Act> = new Map([
  ['authorization_code', 'code'],
  ['refresh_token', 'refresh'],
]);

/**
 * Reads a request to the token endpoint, and authenticates its client.
 *
 * @throws {OAuthError} Also for every other grant type: with the shared secret, `client_credentials` would need no user.
 */
export async function readTokenRequest(context: OAuthProxyContext, req: IncomingMessage): Promise<TokenRequest> {
  const form = await readForm(req, MAX_FORM_BYTES, REPEATABLE);
  if (form === undefined) throw new OAuthError('invalid_request', 'A parameter appears more than once');
  const grantType = form.get('grant_type');
  const act = ACT_OF_GRANT.get(grantType ?? '');
  if (act !== undefined) context.refusals.about(req, { act });
  const authenticated = await authenticateClient(context, req, form);
  requireOurResource(form, context.options.resource.href);
  requireParameter(form, 'grant_type');
  if (grantType !== 'authorization_code' && grantType !== 'refresh_token') {
    throw new OAuthError('unsupported_grant_type', 'grant_type must be authorization_code or refresh_token');
  }
  return { form, authenticated, client: fingerprint(authenticated.client.id), grantType };
}

/** @throws {OAuthError} If a required parameter is missing (RFC 6749, section 5.2). */
export function requireParameter(form: Parameters, name: 'grant_type' | 'code' | 'refresh_token'): string {
  const value = form.get(name);
  if (value === undefined) throw new OAuthError('invalid_request', `${name} is missing`);
  return value;
}

/**
 * Returns the contents of the code in a request, and the client's PKCE verifier.
 *
 * @throws {OAuthError}
 */
export function requireCode(
  seal: OAuthProxySeal,
  { form, client }: TokenRequest,
): SealedContents['code'] & { readonly codeVerifier: string } {
  const sealed = seal.open('code', requireParameter(form, 'code'));
  const redirectUri = form.get('redirect_uri');
  // RFC 6749, section 4.1.3. Clients of OAuth 2.1 leave out the redirect URI: PKCE replaces this check.
  const sameUri = redirectUri === undefined || redirectUri === sealed?.redirectUri;
  if (sealed === undefined || sealed.client !== client || !sameUri) {
    throw new OAuthError('invalid_grant', 'The code has expired, or is not for this client and redirect URI');
  }
  const codeVerifier = form.get('code_verifier');
  if (codeVerifier === undefined) throw new OAuthError('invalid_request', 'PKCE is required: code_verifier');
  // RFC 7636, section 4.6. Checked here because not every upstream server does it.
  if (createHash('sha256').update(codeVerifier).digest('base64url') !== sealed.codeChallenge) {
    throw new OAuthError('invalid_grant', 'code_verifier does not match code_challenge');
  }
  return { ...sealed, codeVerifier };
}
