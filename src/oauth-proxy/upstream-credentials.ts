import { basicHeader, formEncode } from '../upstream/basic-header.js';
import { callServer, type ServerAnswer } from '../upstream/call-server.js';
import type { ServerMetadata } from '../upstream/server-metadata.js';
import { sharesClient } from './client.js';
import type { AuthenticatedClient } from './client-authentication.js';
import type { OAuthProxyContext } from './context.js';
import { OAuthError } from './oauth-error.js';
import type { UpstreamClient } from './sealed-contents.js';
import { toUpstreamError, withoutEcho } from './upstream-answer.js';

/** The credentials of a client for the upstream server (RFC 6749, section 2.3). */
export interface ClientCredentials {
  readonly body: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly secret: string | undefined;
}

/** The parameters of a form that are removed from answers. */
const SECRET_PARAMETERS = ['code', 'code_verifier', 'refresh_token', 'token'];

/**
 * Posts a client's form to the upstream authorization server.
 *
 * @throws {UpstreamError}
 */
export async function postForm(
  url: URL,
  form: Readonly<Record<string, string>>,
  { body, headers, secret }: ClientCredentials,
): Promise<ServerAnswer> {
  const answer = await callServer(url, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: new URLSearchParams({ ...form, ...body }).toString(),
  }).catch(toUpstreamError);
  return withoutEcho(answer, [secret, ...SECRET_PARAMETERS.map((name) => form[name])]);
}

/**
 * Returns the credentials with which a client's code, refresh token or revocation is sent to the upstream server, which knows the client
 * by another id.
 *
 * @param registered The client that this server registered there for the login, which is sealed in the code or the refresh token.
 * @throws {OAuthError} If neither the client nor the sealed value says which client it is there.
 */
export function upstreamCredentials(
  { client: shared, provider }: OAuthProxyContext['options'],
  authenticated: AuthenticatedClient,
  { metadata, registered }: { readonly metadata: ServerMetadata; readonly registered: UpstreamClient | undefined },
): ClientCredentials {
  const { client } = authenticated;
  if (registered !== undefined) return ownCredentials(registered, metadata);
  if (shared?.secret !== undefined && sharesClient({ client: shared }, client)) {
    return ownCredentials({ ...shared, method: provider.tokenEndpointAuthMethod }, metadata);
  }
  const { upstreamId } = client;
  if (upstreamId === undefined) throw new OAuthError('invalid_grant', 'This was not issued to this client');
  return passedOnCredentials(upstreamId, authenticated);
}

/**
 * Returns the credentials of a client that this server registered, or was given. A secret is sent as its registration says, else as the
 * server announces (RFC 8414, section 2: Basic by default).
 */
export function ownCredentials(
  { id, secret, method }: UpstreamClient,
  { document }: ServerMetadata,
): ClientCredentials {
  if (secret === undefined) return { body: { client_id: id }, headers: {}, secret };
  const methods = document.token_endpoint_auth_methods_supported;
  const takesPost = Array.isArray(methods) && methods.includes('client_secret_post');
  const inBody = method === undefined ? takesPost : method === 'client_secret_post';
  if (inBody) return { body: { client_id: id, client_secret: secret }, headers: {}, secret };
  return { body: {}, headers: basicHeader(formEncode(id), formEncode(secret)), secret };
}

/** The secret of a registered client, as it sent it. */
function passedOnCredentials(id: string, { secret, method }: AuthenticatedClient): ClientCredentials {
  if (secret === undefined) return { body: { client_id: id }, headers: {}, secret };
  if (method === 'body') return { body: { client_id: id, client_secret: secret }, headers: {}, secret };
  return { body: {}, headers: basicHeader(formEncode(id), secret), secret };
}
