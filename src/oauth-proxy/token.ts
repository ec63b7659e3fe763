import type { IncomingMessage, ServerResponse } from 'node:http';
import { UpstreamError } from '../core/errors.js';
import { replyJson } from '../http/reply.js';
import type { ServerAnswer } from '../upstream/call-server.js';
import { splitList } from './authorization-request.js';
import type { AuthenticatedClient } from './client-authentication.js';
import { sharesClient } from './clients.js';
import type { OAuthProxyContext } from './context.js';
import { OAuthError } from './oauth-error.js';
import type { UpstreamClient } from './sealed-contents.js';
import { readTokenRequest, requireCode, type TokenRequest } from './token-request.js';
import { isClientUnknown, NO_STORE, refusalOf, writeAnswer } from './upstream-answer.js';
import { postForm, upstreamCredentials } from './upstream-credentials.js';

interface Grant {
  /** The scopes of the login request. */
  readonly scopes: readonly string[];
  /** The scopes that the upstream server granted at the login, in its own spelling; undefined if it has not said. */
  readonly granted: readonly string[] | undefined;
  /** The client that this server registered at the upstream server for the login. */
  readonly upstream: UpstreamClient | undefined;
  /** The form for the upstream server. */
  readonly form: Readonly<Record<string, string>>;
}

/**
 * Creates the token endpoint (RFC 6749, section 3.2), which replaces client id, code and refresh token with those of the upstream
 * server. It calls that server without oauth4webapi or openid-client: those are for a client that has `state` and the verifier and
 * checks the answer. Here the MCP client has both, and must get the answer, or the error, as the server sent it.
 */
export function createToken(context: OAuthProxyContext) {
  const { seal } = context;
  const sealRefreshToken = ({ refresh_token: token, scope }: Record<string, unknown>, client: string, grant: Grant) => {
    if (typeof token !== 'string') return {};
    const answered = typeof scope === 'string' ? splitList(scope) : undefined;
    // A client that asked for no scope got those that the upstream server grants by default.
    const scopes = grant.scopes.length > 0 ? grant.scopes : (answered ?? []);
    const granted = grant.granted ?? answered;
    const { upstream } = grant;
    return { refresh_token: seal.close('refresh_token', { client, upstream, scopes, granted, token }) };
  };
  return async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const request = await readTokenRequest(context, req);
    const { authenticated, client } = request;
    const grant = readGrant(context, request);
    const answer = await exchange(context, authenticated, grant);
    const { id_token: _, ...tokens } = answer.body ?? {};
    if (typeof tokens.access_token !== 'string') throw new UpstreamError('authorization_server_malformed');
    // Without the ID token, which clients must refuse: it names the upstream issuer and client id (OpenID Connect Core, 3.1.3.7).
    replyJson(res, 200, writeAnswer({ ...tokens, ...sealRefreshToken(tokens, client, grant) }), NO_STORE);
  };
}

/** @throws {OAuthError} */
function readGrant(context: OAuthProxyContext, request: TokenRequest): Grant {
  const { resource, provider } = context.options;
  const target = provider.acceptsResource ? { resource: resource.href } : {};
  const grant =
    request.grantType === 'authorization_code' ? readCodeGrant(context, request) : readRefreshGrant(context, request);
  return { ...grant, form: { ...grant.form, ...target } };
}

function readCodeGrant({ seal, endpoints }: OAuthProxyContext, request: TokenRequest): Grant {
  const { scopes, code, upstream, codeVerifier: verifier } = requireCode(seal, request);
  return {
    scopes,
    upstream,
    granted: undefined,
    form: { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: endpoints.callback },
  };
}

function readRefreshGrant({ seal, options }: OAuthProxyContext, { form, client }: TokenRequest): Grant {
  const sealed = seal.open('refresh_token', form.get('refresh_token'));
  if (sealed === undefined || sealed.client !== client) {
    throw new OAuthError('invalid_grant', 'The refresh token is not valid for this client');
  }
  const { scopes, granted, token, upstream } = sealed;
  const scope = refreshScopes(options, sealed, splitList(form.get('scope') ?? '')).join(' ');
  return {
    scopes,
    granted,
    upstream,
    form: { grant_type: 'refresh_token', refresh_token: token, ...(scope === '' ? {} : { scope }) },
  };
}

/**
 * The scopes for a refresh at the upstream server; none if they are those of the login. That server may have granted fewer scopes
 * than the login asked for, and would refuse a refresh that asks for all of them (RFC 6749, section 6).
 */
function refreshScopes(
  { provider, audiences }: OAuthProxyContext['options'],
  { scopes, granted }: Pick<Grant, 'scopes' | 'granted'>,
  wanted: readonly string[],
): readonly string[] {
  const upstreamNames = (names: readonly string[]) => names.map((name) => provider.upstreamScope(name, audiences));
  const [ofLogin, asked] = [upstreamNames(scopes), upstreamNames(wanted)];
  // The upstream server may grant a shared client more scopes than this user was asked for here.
  if (!asked.every((name) => ofLogin.includes(name))) {
    throw new OAuthError('invalid_scope', 'scope must not contain more than the login asked for');
  }
  const needed = provider.scopesAtRefresh(asked, ofLogin);
  if (needed !== undefined) return needed;
  if (ofLogin.every((name) => asked.includes(name))) return [];
  const given = granted === undefined ? asked : asked.filter((name) => granted.includes(name));
  // If none of them was granted, the server must refuse them. Without scopes it would grant all of the login's.
  return given.length > 0 ? given : asked;
}

/** @throws {OAuthError | UpstreamRefusal} The upstream server's refusal. */
async function exchange(
  { options, upstream, upstreamClients }: OAuthProxyContext,
  authenticated: AuthenticatedClient,
  { form, upstream: registered }: Grant,
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
