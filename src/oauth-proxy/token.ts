import type { IncomingMessage, ServerResponse } from 'node:http';
import { UpstreamError } from '../core/errors.js';
import { replyJson } from '../http/reply.js';
import { splitAtSpaces } from '../providers/identity/identity-provider.js';
import type { ServerAnswer } from '../upstream/call-server.js';
import { sharesClient } from './client.js';
import type { AuthenticatedClient } from './client-authentication.js';
import type { OAuthProxyContext } from './context.js';
import { OAuthError } from './oauth-error.js';
import { type Grant, readGrant } from './token-grant.js';
import { readTokenRequest, type TokenRequest } from './token-request.js';
import { isClientUnknown, NO_STORE, refusalOf, writeAnswer } from './upstream-answer.js';
import { postForm, upstreamCredentials } from './upstream-credentials.js';

/**
 * Creates the token endpoint (RFC 6749, section 3.2), which replaces client id, code and refresh token with those of the upstream
 * server. It calls that server without oauth4webapi or openid-client: those are for a client that has `state` and the verifier and
 * checks the answer. Here the MCP client has both, and must get the answer, or the error, as the server sent it.
 */
export function createToken(context: OAuthProxyContext) {
  const { seal } = context;
  const sealRefreshToken = ({ refresh_token: token, scope }: Record<string, unknown>, client: string, grant: Grant) => {
    if (typeof token !== 'string') return {};
    const answered = typeof scope === 'string' ? splitAtSpaces(scope) : undefined;
    // A client that asked for no scope got those that the upstream server grants by default.
    const scopes = grant.scopes.length > 0 ? grant.scopes : (answered ?? []);
    const granted = grant.granted ?? answered;
    const { registered: upstream, hasDefaultScopes } = grant;
    return {
      refresh_token: seal.close('refresh_token', { client, upstream, scopes, hasDefaultScopes, granted, token }),
    };
  };
  return async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const request = await readTokenRequest(context, req);
    const grant = readGrant(context, request);
    const answer = await exchange(context, request.authenticated, grant);
    const { id_token: _, ...tokens } = answer.body ?? {};
    if (typeof tokens.access_token !== 'string') throw new UpstreamError('authorization_server_malformed');
    // Without the ID token, which clients must refuse: it names the upstream issuer and client id (OpenID Connect Core, 3.1.3.7).
    const members = { ...scopeOfDefault(context, request, grant), ...tokens };
    replyJson(res, 200, writeAnswer({ ...members, ...sealRefreshToken(tokens, request.client, grant) }), NO_STORE);
  };
}

/** Names the scopes of a login that are not those that the client asked for (RFC 6749, section 5.1), where the upstream server does not. */
function scopeOfDefault(
  { options }: OAuthProxyContext,
  { grantType }: Pick<TokenRequest, 'grantType'>,
  { scopes, hasDefaultScopes }: Grant,
): { scope?: string } {
  if (grantType === 'refresh_token' || !hasDefaultScopes) return {};
  const known = scopes.filter((scope) => !options.provider.omittedScopes.includes(scope));
  // The upstream server was asked for none, and granted its own default.
  return known.length === 0 ? {} : { scope: known.join(' ') };
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
