import type { IncomingMessage, ServerResponse } from 'node:http';
import { readBody } from '../http/body.js';
import { isRecord } from '../http/json-object.js';
import { replyJson } from '../http/reply.js';
import { parseStrictJson } from '../messages/strict-json.js';
import { type ClientMembers, clientMembers, clientName } from './client-members.js';
import type { OAuthProxyContext } from './context.js';
import { OAuthError } from './oauth-error.js';
import { PUBLIC, registerUpstream } from './register-upstream.js';
import { readRedirectUris } from './registration-redirect-uris.js';
import { registeredScopes, scopeOfShared } from './registration-scopes.js';
import { NO_STORE, writeAnswer } from './upstream-answer.js';

const MAX_BODY_BYTES = 16_384;
const AUTH_METHODS = ['none', 'client_secret_basic', 'client_secret_post'];

const SIGNING_CLIENT =
  '. A client with keys does not register: its client_id is the URL of its client metadata document';

interface ClientMetadata {
  readonly authMethod: string | undefined;
  readonly members: ClientMembers;
}

/**
 * Creates the registration endpoint (RFC 7591). It answers itself if all clients share one, and otherwise forwards the
 * registration with our callback as the only redirect URI. The sealed client id contains the client's own redirect URIs.
 */
export function createRegistration(context: OAuthProxyContext) {
  const { options, clients, refusals } = context;
  return async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    if (!options.registration) throw registrationDisabled();
    const given = parseBody((await readBody(req, MAX_BODY_BYTES)).toString('utf8'));
    const name = clientName(given);
    refusals.about(req, { client: name });
    const { redirectUris, notAllowed } = readRedirectUris(given, options.allowedRedirectUris);
    const metadata = readClientMetadata(given, context);
    if (notAllowed.length > 0) refusals.writeNotAllowed(req, notAllowed);
    const registered =
      options.client === undefined
        ? await registerUpstream(context, { ...metadata, authorization: req.headers.authorization })
        : { client_id: options.client.id, ...PUBLIC, scope: scopeOfShared(options, metadata.members) };
    const upstreamId = registered.client_id;
    const scopes = registeredScopes(options, metadata.members.scope, registered.scope);
    const answer = {
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      ...(name === undefined ? {} : { client_name: name }),
      ...registered,
      client_id: clients.register({ upstreamId, redirectUris, name, scopes }),
      redirect_uris: redirectUris,
    };
    replyJson(res, 201, writeAnswer(answer), NO_STORE);
  };
}

function registrationDisabled(): OAuthError {
  const message =
    'This server registers no clients: its operator must give you a client id, unless its metadata announces client metadata documents';
  const advice = 'give the client an id in oauthProxy.clients, or set oauthProxy.registration to true';
  return new OAuthError('access_denied', message, 403, { advice });
}

function readClientMetadata(
  given: Readonly<Record<string, unknown>>,
  { announcesDocuments }: Pick<OAuthProxyContext, 'announcesDocuments'>,
): ClientMetadata {
  const method = given.token_endpoint_auth_method;
  if (method !== undefined && !AUTH_METHODS.includes(method as string)) {
    // Our metadata names that method for clients with documents, whose keys are known.
    const signs = method === 'private_key_jwt' && announcesDocuments ? SIGNING_CLIENT : '';
    const methods = AUTH_METHODS.join(', ');
    throw new OAuthError('invalid_client_metadata', `token_endpoint_auth_method must be one of ${methods}${signs}`);
  }
  return { authMethod: method as string | undefined, members: clientMembers(given) };
}

function parseBody(text: string): Record<string, unknown> {
  try {
    const value = parseStrictJson(text);
    if (isRecord(value)) return value;
  } catch {
    // Refused below, like any other body that is not a JSON object.
  }
  throw new OAuthError('invalid_client_metadata', 'The body must be a JSON object, without duplicate members');
}
