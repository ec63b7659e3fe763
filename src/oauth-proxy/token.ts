import type { IncomingMessage, ServerResponse } from 'node:http';
import { UpstreamError } from '../core/errors.js';
import { readForm } from '../http/form.js';
import { replyJson } from '../http/reply.js';
import type { ServerAnswer } from '../upstream/call-server.js';
import { sharesClient } from './client.js';
import { type AuthenticatedClient, authenticateClient } from './client-authentication.js';
import type { OAuthProxyContext } from './context.js';
import { fingerprint } from './fingerprint.js';
import { OAuthError } from './oauth-error.js';
import type { Act } from './refusal-remedy.js';
import { splitList } from './split-list.js';
import { type Grant, readGrant } from './token-grant.js';
import { isClientUnknown, NO_STORE, refusalOf, writeAnswer } from './upstream-answer.js';
import { postForm, upstreamCredentials } from './upstream-credentials.js';

const MAX_FORM_BYTES = 65_536;

const ACT_OF_GRANT: ReadonlyMap<string, Act> = new Map([
  ['authorization_code', 'code'],
  ['refresh_token', 'refresh'],
]);

/**
 * Creates the token endpoint (RFC 6749, section 3.2), which replaces client id, code and refresh token with those of the upstream
 * server. It calls that server without oauth4webapi or openid-client: those are for a client that has `state` and the verifier and
 * checks the answer. Here the MCP client has both, and must get the answer, or the error, as the server sent it.
 */
export function createToken(context: OAuthProxyContext) {
  const { seal, refusals } = context;
  const sealRefreshToken = ({ refresh_token: token, scope }: Record<string, unknown>, client: string, grant: Grant) => {
    if (typeof token !== 'string') return {};
    const answered = typeof scope === 'string' ? splitList(scope) : undefined;
    // A client that asked for no scope got those that the upstream server grants by default.
    const scopes = grant.scopes.length > 0 ? grant.scopes : (answered ?? []);
    const granted = grant.granted ?? answered;
    const { registered: upstream } = grant;
    return { refresh_token: seal.close('refresh_token', { client, upstream, scopes, granted, token }) };
  };
  return async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const form = await readForm(req, MAX_FORM_BYTES);
    if (form === undefined) throw new OAuthError('invalid_request', 'A parameter appears more than once');
    const act = ACT_OF_GRANT.get(form.get('grant_type') ?? '');
    if (act !== undefined) refusals.about(req, { act });
    const authenticated = await authenticateClient(context, req, form);
    const client = fingerprint(authenticated.client.id);
    const grant = readGrant(context, form, client);
    const answer = await exchange(context, authenticated, grant);
    const { id_token: _, ...tokens } = answer.body ?? {};
    if (typeof tokens.access_token !== 'string') throw new UpstreamError('authorization_server_malformed');
    // Without the ID token, which clients must refuse: it names the upstream issuer and client id (OpenID Connect Core, 3.1.3.7).
    replyJson(res, 200, writeAnswer({ ...tokens, ...sealRefreshToken(tokens, client, grant) }), NO_STORE);
  };
}

/** @throws {OAuthError | UpstreamRefusal} The upstream server's refusal. */
async function exchange(
  { options, upstream, upstreamClients }: OAuthProxyContext,
  authenticated: AuthenticatedClient,
  { form, registered }: Grant,
): Promise<ServerAnswer> {
  const metadata = await upstream();
  const credentials = upstreamCredentials(options, authenticated, { metadata, registered });
  const answer = await postForm(metadata.tokenEndpoint, form, credentials);
  if (answer.status < 400) return answer;
  if (registered !== undefined && isClientUnknown(answer)) {
    upstreamClients.forget(registered);
    throw new OAuthError(
      'invalid_grant',
      'The authorization server has forgotten this login, and the user must log in again',
    );
  }
  const shared = sharesClient(options, authenticated.client);
  throw refusalOf(answer, ['invalid_request', 'The authorization server refused this request'], shared);
}
