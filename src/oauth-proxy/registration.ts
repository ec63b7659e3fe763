import type { IncomingMessage, ServerResponse } from 'node:http';
import { UpstreamError } from '../core/errors.js';
import { readBody } from '../http/body.js';
import { isRecord } from '../http/json-object.js';
import { isLoopbackHost } from '../http/loopback.js';
import { lowerAscii } from '../http/lower-ascii.js';
import { replyJson } from '../http/reply.js';
import { parseStrictJson } from '../messages/strict-json.js';
import { REGISTRATION_MEMBERS, type RegistrationMember } from '../providers/provider.js';
import { callServer } from '../upstream/call-server.js';
import type { OAuthProxyContext } from './context.js';
import { OAuthError } from './oauth-error.js';
import { readRedirectUris } from './registration-redirect-uris.js';
import { answeredScope, registerFor, registrationScopes } from './registration-scopes.js';
import { NO_STORE, refusalOf, toUpstreamError, withoutEcho, writeAnswer } from './upstream-answer.js';

const MAX_BODY_BYTES = 16_384;
const MAX_NAME_LENGTH = 100;

const isText = (value: unknown) => typeof value === 'string';
// `new URL()` drops spaces around an address, and tabs and line breaks within.
const isHttpsUrl = (value: unknown) =>
  isText(value) && /^[\x21-\x7e]+$/.test(value) && URL.canParse(value) && new URL(value).protocol === 'https:';

/** The check for each member before it is sent to the upstream server, which shows it to users, in links and images too. */
const MEMBERS: Readonly<Record<RegistrationMember, (value: unknown) => boolean>> = {
  client_name: isText,
  client_uri: isHttpsUrl,
  logo_uri: isHttpsUrl,
  tos_uri: isHttpsUrl,
  policy_uri: isHttpsUrl,
  contacts: (value) => Array.isArray(value) && value.every(isText),
  scope: isText,
  software_id: isText,
  software_version: isText,
};
/** JSON leaves out the `undefined` members. */
const PUBLIC = Object.freeze({
  token_endpoint_auth_method: 'none',
  client_secret: undefined,
  client_secret_expires_at: undefined,
});
const AUTH_METHODS = ['none', 'client_secret_basic', 'client_secret_post'];

interface ClientMetadata {
  readonly authMethod: string | undefined;
  /** The members of the client's metadata that have the right form. */
  readonly members: Readonly<Partial<Record<RegistrationMember, unknown>>>;
}

/**
 * Creates the registration endpoint (RFC 7591). It answers itself if all clients share one, and otherwise forwards the
 * registration with our callback as the only redirect URI. The sealed client id contains the client's own redirect URIs.
 */
export function createRegistration(context: OAuthProxyContext) {
  const { options, clients, refusals } = context;
  return async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const given = parseBody((await readBody(req, MAX_BODY_BYTES)).toString('utf8'));
    const name = nameOf(given);
    refusals.about(req, { client: name });
    const { redirectUris, notAllowed } = readRedirectUris(given.redirect_uris, options.allowedRedirectUris);
    const metadata = readClientMetadata(given);
    if (notAllowed.length > 0) refusals.writeNotAllowed(req, notAllowed);
    const registered =
      options.client === undefined
        ? await forward(context, metadata, req.headers.authorization)
        : { client_id: options.client.id, ...PUBLIC, scope: await scopeOfShared(context, metadata) };
    const upstreamId = registered.client_id as string;
    const answer = {
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      ...(name === undefined ? {} : { client_name: name }),
      ...registered,
      client_id: clients.register({ upstreamId, redirectUris, name }),
      redirect_uris: redirectUris,
    };
    replyJson(res, 201, writeAnswer(answer), NO_STORE);
  };
}

/** Nothing is asked of the upstream server but its metadata, which the client has just read here. */
async function scopeOfShared({ options, upstream }: OAuthProxyContext, { members }: ClientMetadata) {
  const metadata = await upstream().catch(() => undefined);
  return answeredScope(options, registrationScopes(options, members.scope, metadata), undefined);
}

function nameOf({ client_name: name }: Readonly<Record<string, unknown>>): string | undefined {
  return typeof name === 'string' ? name.slice(0, MAX_NAME_LENGTH) : undefined;
}

function readClientMetadata(given: Readonly<Record<string, unknown>>): ClientMetadata {
  const method = given.token_endpoint_auth_method;
  if (method !== undefined && !AUTH_METHODS.includes(method as string)) {
    throw new OAuthError('invalid_client_metadata', `token_endpoint_auth_method must be one of ${AUTH_METHODS}`);
  }
  const members = REGISTRATION_MEMBERS.filter((member) => MEMBERS[member](given[member]));
  return {
    authMethod: method as string | undefined,
    members: Object.fromEntries(members.map((member) => [member, given[member]])),
  };
}

function parseBody(text: string): Record<string, unknown> {
  try {
    const value = parseStrictJson(text);
    if (isRecord(value)) return value;
  } catch {
    // Refused below, like any other body that is not a JSON object.
  }
  throw new OAuthError('invalid_client_metadata', 'The body must be a JSON object');
}

/** The members of the upstream answer that the client gets. Not our redirect URI, nor a way to change the registration. */
const PASSED_ON_MEMBERS = [
  'client_id',
  'client_secret',
  'client_id_issued_at',
  'client_secret_expires_at',
  'client_name',
  'token_endpoint_auth_method',
];

async function forward(
  { options, endpoints, upstream }: OAuthProxyContext,
  { authMethod, members }: ClientMetadata,
  authorization: string | undefined,
): Promise<Record<string, unknown>> {
  const metadata = await upstream();
  const { registrationEndpoint } = metadata;
  const { registration } = options.provider;
  const derived = registration?.url(options.issuer);
  const url = registrationEndpoint ?? (derived === undefined ? undefined : new URL(derived));
  if (url === undefined) throw new OAuthError('access_denied', 'Clients cannot register themselves here', 403);
  // Most servers accept a public client only as native, and a loopback callback requires it.
  const native = authMethod === 'none' || isLoopbackHost(new URL(endpoints.callback).hostname);
  const register = (scope: string | undefined) =>
    callServer(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...credentials(authorization, registration?.credentials) },
      body: JSON.stringify({
        ...Object.fromEntries((registration?.members ?? []).map((member) => [member, members[member]])),
        scope,
        redirect_uris: [endpoints.callback],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        application_type: native ? 'native' : 'web',
        ...(authMethod === undefined ? {} : { token_endpoint_auth_method: authMethod }),
      }),
    }).catch(toUpstreamError);
  const scopes = registrationScopes(options, members.scope, metadata);
  const answer = await registerFor(register, options, scopes);
  const { status, body } = withoutEcho(answer, [authorization?.split(' ')[1]]);
  if (status >= 400)
    throw refusalOf({ status, body }, ['invalid_client_metadata', 'Clients cannot register themselves here']);
  if (body === undefined || typeof body.client_id !== 'string' || body.client_id === '') {
    throw new UpstreamError('authorization_server_malformed');
  }
  const answered = PASSED_ON_MEMBERS.filter((name) => body[name] !== undefined).map(
    (name) => [name, body[name]] as const,
  );
  // Some servers name an authentication method for a client without a secret. It could not use that, and some clients throw.
  const isPublic = body.client_secret === undefined || body.client_secret === null || body.client_secret === '';
  return {
    ...Object.fromEntries(answered),
    ...(isPublic ? PUBLIC : {}),
    scope: answeredScope(options, scopes, body.scope),
  };
}

/** Passes on an initial access token (RFC 7591, section 3), or an API token in its place, if the provider knows the scheme. */
function credentials(authorization: string | undefined, scheme: string | undefined): Record<string, string> {
  const brought = authorization?.split(' ', 1)[0];
  const passes = brought !== undefined && scheme !== undefined && lowerAscii(brought) === lowerAscii(scheme);
  return passes && authorization !== undefined ? { authorization } : {};
}
