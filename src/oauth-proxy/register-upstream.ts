import { UpstreamError } from '../core/errors.js';
import { isLoopbackHost } from '../http/loopback.js';
import { lowerAscii } from '../http/lower-ascii.js';
import type { ResolvedOAuthProxy } from '../policy/resolve-oauth-proxy.js';
import { callServer, type ServerAnswer } from '../upstream/call-server.js';
import type { ServerMetadata } from '../upstream/server-metadata.js';
import type { ClientMembers } from './client-members.js';
import { OAuthError } from './oauth-error.js';
import { answeredScope, registerFor, registrationScopes } from './registration-scopes.js';
import { refusalOf, toUpstreamError, withoutEcho } from './upstream-answer.js';

/** The parts of the OAuth proxy that a registration needs. */
interface RegistrationContext {
  readonly options: Pick<ResolvedOAuthProxy, 'issuer' | 'provider' | 'audiences' | 'scopes'>;
  readonly endpoints: { readonly callback: string };
  readonly upstream: () => Promise<ServerMetadata>;
}

/** A client that the upstream server is to know. */
export interface NewClient {
  readonly members: ClientMembers;
  readonly authMethod: string | undefined;
  /** The header of the client's request, which may have credentials for a registration. */
  readonly authorization?: string | undefined;
}

/** The upstream server's answer to a registration (RFC 7591, section 3.2.1): the members that the client may know. */
export type Registered = Readonly<Record<string, unknown>> & { readonly client_id: string };

/** Of a public client. JSON leaves out the `undefined` members. */
export const PUBLIC = Object.freeze({
  token_endpoint_auth_method: 'none',
  client_secret: undefined,
  client_secret_expires_at: undefined,
});

/**
 * Registers a client at the upstream server (RFC 7591), with our callback as its only redirect URI.
 *
 * @throws {OAuthError}
 * @throws {UpstreamRefusal}
 * @throws {UpstreamError}
 */
export async function registerUpstream(context: RegistrationContext, client: NewClient): Promise<Registered> {
  const metadata = await context.upstream();
  const url = registrationUrl(context.options, metadata);
  if (url === undefined) throw new OAuthError('access_denied', 'Clients cannot register themselves here', 403);
  const { authorization, members } = client;
  const { registration } = context.options.provider;
  const scopes = registrationScopes(context.options, members.scope, metadata);
  const answer = await registerFor(context.options, scopes, (scope) =>
    callServer(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...credentials(authorization, registration?.credentials) },
      body: JSON.stringify({ ...buildRegistration(context, client), scope }),
    }).catch(toUpstreamError),
  );
  const { scope, ...registered } = readRegistered(withoutEcho(answer, [authorization?.split(' ')[1]]));
  return { ...registered, scope: answeredScope(context.options, scopes, scope) };
}

/** The upstream server's registration endpoint; undefined if it has none. */
export function registrationUrl(
  { provider, issuer }: RegistrationContext['options'],
  { registrationEndpoint }: Pick<ServerMetadata, 'registrationEndpoint'>,
): URL | undefined {
  const derived = provider.registration?.url(issuer);
  return registrationEndpoint ?? (derived === undefined ? undefined : new URL(derived));
}

/** True if this server can register clients at the upstream server without credentials of theirs. */
export function canRegisterFreely(
  options: RegistrationContext['options'],
  upstream: Pick<ServerMetadata, 'registrationEndpoint'>,
): boolean {
  return registrationUrl(options, upstream) !== undefined && options.provider.registration?.needsCredentials !== true;
}

function buildRegistration(
  { options, endpoints }: RegistrationContext,
  { members, authMethod }: NewClient,
): Record<string, unknown> {
  const passedOn = options.provider.registration?.members ?? [];
  // Most servers accept a public client only as native, and a loopback callback requires it.
  const native = authMethod === 'none' || isLoopbackHost(new URL(endpoints.callback).hostname);
  return {
    ...Object.fromEntries(passedOn.map((member) => [member, members[member]])),
    redirect_uris: [endpoints.callback],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    application_type: native ? 'native' : 'web',
    ...(authMethod === undefined ? {} : { token_endpoint_auth_method: authMethod }),
  };
}

/** The members of the answer that the client gets. Not our redirect URI, nor a way to change the registration. */
const PASSED_ON_MEMBERS = [
  'client_id',
  'client_secret',
  'client_id_issued_at',
  'client_secret_expires_at',
  'client_name',
  'token_endpoint_auth_method',
  'scope',
];

function readRegistered(answer: ServerAnswer): Registered {
  const { status, body } = answer;
  if (status >= 400) throw refusalOf(answer, ['invalid_client_metadata', 'Clients cannot register themselves here']);
  if (body === undefined || typeof body.client_id !== 'string' || body.client_id === '') {
    throw new UpstreamError('authorization_server_malformed');
  }
  const answered = PASSED_ON_MEMBERS.filter((name) => body[name] !== undefined).map(
    (name) => [name, body[name]] as const,
  );
  // Some servers name an authentication method for a client without a secret. It could not use that, and some clients throw.
  const isPublic = body.client_secret === undefined || body.client_secret === null || body.client_secret === '';
  return { ...Object.fromEntries(answered), client_id: body.client_id, ...(isPublic ? PUBLIC : {}) };
}

/** Passes on an initial access token (RFC 7591, section 3), or an API token in its place, if the provider knows the scheme. */
function credentials(authorization: string | undefined, scheme: string | undefined): Record<string, string> {
  const brought = authorization?.split(' ', 1)[0];
  const passes = brought !== undefined && scheme !== undefined && lowerAscii(brought) === lowerAscii(scheme);
  return passes && authorization !== undefined ? { authorization } : {};
}
