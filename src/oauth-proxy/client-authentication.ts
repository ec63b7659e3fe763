import type { Parameters } from '../http/form.js';
import type { Provider } from '../providers/provider.js';
import { basicHeader, formEncode } from '../upstream/basic-header.js';
import { callServer, type ServerAnswer } from '../upstream/call-server.js';
import type { ServerMetadata } from '../upstream/server-metadata.js';
import { type Client, isConfiguredClient } from './clients.js';
import type { OAuthProxyContext } from './context.js';
import { OAuthError } from './oauth-error.js';
import { toUpstreamError, withoutEcho } from './upstream-answer.js';

/** A client at our token endpoint, and its credentials for the upstream server (RFC 6749, section 2.3). */
export interface AuthenticatedClient {
  readonly client: Client;
  /** Undefined for a public client. Not checked here: only the upstream server knows the secret. */
  readonly secret: string | undefined;
  readonly method: 'body' | 'basic';
}

/**
 * Reads the client and its credentials from a form or a Basic header.
 *
 * @throws {OAuthError}
 */
export function readClient(
  { clients, options }: Pick<OAuthProxyContext, 'clients' | 'options'>,
  form: Parameters,
  authorization: string | undefined,
): AuthenticatedClient {
  const basic = authorization === undefined ? undefined : parseBasic(authorization);
  const inBody = form.get('client_id');
  if (basic !== undefined && (form.has('client_secret') || (inBody !== undefined && inBody !== basic.id))) {
    throw new OAuthError('invalid_request', 'The client must authenticate in one way only');
  }
  const { id, secret } = basic ?? { id: inBody, secret: form.get('client_secret') };
  const client = clients.open(id);
  // Clients get no secret for the configured client, so this one is guessed, or meant for another server.
  if (isConfiguredClient(options, client) && (secret !== undefined || basic !== undefined)) {
    throw new OAuthError('invalid_client', 'This client has no secret and must not send one');
  }
  return { client, secret, method: basic === undefined ? 'body' : 'basic' };
}

function parseBasic(authorization: string): { id: string; secret: string | undefined } {
  const [, encoded] = /^basic ([A-Za-z0-9+/]+={0,2})$/i.exec(authorization) ?? [];
  const decoded = encoded === undefined ? '' : Buffer.from(encoded, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  if (colon === -1)
    throw new OAuthError('invalid_client', 'The Authorization header must be Basic, with client id and secret');
  const secret = decoded.slice(colon + 1);
  // Client ids of the OAuth proxy are base64url, which form encoding leaves as it is.
  return { id: decoded.slice(0, colon), secret: secret === '' ? undefined : secret };
}

/** The client's credentials for the upstream server, which knows the client by another id. */
export function upstreamCredentials({ client, secret, method }: AuthenticatedClient): ClientCredentials {
  const { upstreamId: id } = client;
  if (secret === undefined) return { body: { client_id: id }, headers: {}, secret };
  if (method === 'body') return { body: { client_id: id, client_secret: secret }, headers: {}, secret };
  return { body: {}, headers: basicHeader(formEncode(id), secret), secret };
}

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

/** The configured client's credentials, sent as the policy says, or as the upstream server announces (RFC 8414, section 2: Basic by default). */
export function configuredCredentials(
  id: string,
  secret: string,
  { document }: ServerMetadata,
  { tokenEndpointAuthMethod: chosen }: Provider,
): ClientCredentials {
  const methods = document.token_endpoint_auth_methods_supported;
  const announced = Array.isArray(methods) && methods.includes('client_secret_post');
  if (chosen === undefined ? announced : chosen === 'client_secret_post') {
    return { body: { client_id: id, client_secret: secret }, headers: {}, secret };
  }
  return { body: {}, headers: basicHeader(formEncode(id), formEncode(secret)), secret };
}
