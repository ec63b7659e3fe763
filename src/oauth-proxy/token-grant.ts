import { splitAtSpaces } from '../providers/identity/identity-provider.js';
import type { OAuthProxyContext } from './context.js';
import { OAuthError } from './oauth-error.js';
import type { UpstreamClient } from './sealed-contents.js';
import { requireCode, requireParameter, type TokenRequest } from './token-request.js';

/** A code or a refresh token of a client, opened and checked. */
export interface Grant {
  /** The scopes of the login request. */
  readonly scopes: readonly string[];
  /** True if some of them are our default, which the client did not name. */
  readonly hasDefaultScopes: true | undefined;
  /** The scopes that the upstream server granted at the login, in its own spelling; undefined if it has not said. */
  readonly granted: readonly string[] | undefined;
  /** The client that this server registered at the upstream server for the login. */
  readonly registered: UpstreamClient | undefined;
  /** The form for the upstream server. */
  readonly form: Readonly<Record<string, string>>;
}

/** @throws {OAuthError} */
export function readGrant(context: OAuthProxyContext, request: TokenRequest): Grant {
  const { resource, provider } = context.options;
  const target = provider.acceptsResource ? { resource: resource.href } : {};
  const grant =
    request.grantType === 'authorization_code' ? readCodeGrant(context, request) : readRefreshGrant(context, request);
  return { ...grant, form: { ...grant.form, ...target } };
}

function readCodeGrant({ seal, endpoints, options }: OAuthProxyContext, request: TokenRequest): Grant {
  const { scopes, hasDefaultScopes, code, upstream, codeVerifier: verifier } = requireCode(seal, request);
  return {
    scopes,
    hasDefaultScopes,
    registered: upstream,
    granted: undefined,
    form: {
      grant_type: 'authorization_code',
      code,
      redirect_uri: endpoints.callback,
      ...(options.provider.acceptsPkce ? { code_verifier: verifier } : {}),
    },
  };
}

function readRefreshGrant({ seal, options }: OAuthProxyContext, { form, client }: TokenRequest): Grant {
  const sealed = seal.open('refresh_token', requireParameter(form, 'refresh_token'));
  if (sealed === undefined || sealed.client !== client) {
    throw new OAuthError('invalid_grant', 'The refresh token is not valid for this client');
  }
  const { scopes, hasDefaultScopes, granted, token, upstream } = sealed;
  const scope = refreshScopes(options, sealed, splitAtSpaces(form.get('scope') ?? '')).join(' ');
  return {
    scopes,
    hasDefaultScopes,
    granted,
    registered: upstream,
    form: { grant_type: 'refresh_token', refresh_token: token, ...(scope === '' ? {} : { scope }) },
  };
}

/**
 * The scopes for a refresh at the upstream server; none if they are those of the login. That server may have granted fewer scopes
 * than the login asked for, and would refuse a refresh that asks for all of them (RFC 6749, section 6).
 */
function refreshScopes(
  { provider, audiences }: OAuthProxyContext['options'],
  { scopes, hasDefaultScopes, granted }: Pick<Grant, 'scopes' | 'hasDefaultScopes' | 'granted'>,
  wanted: readonly string[],
): readonly string[] {
  // A client that names no scope asks for all of its login.
  const upstreamNames = (names: readonly string[]) =>
    names.length === 0 ? [] : provider.upstreamScopes(names, audiences);
  const [ofLogin, asked] = [upstreamNames(scopes), upstreamNames(wanted)];
  // The upstream server may grant a shared client more scopes than this user was asked for here. A client that did not say which ones it
  // wants knows those of the answer.
  const known = hasDefaultScopes ? [...ofLogin, ...(granted ?? [])] : ofLogin;
  if (!asked.every((name) => known.includes(name))) {
    throw new OAuthError('invalid_scope', 'scope must not contain more than the login asked for');
  }
  const needed = provider.scopesAtRefresh(asked, ofLogin);
  if (needed !== undefined) return needed;
  if (ofLogin.every((name) => asked.includes(name))) return [];
  const given = granted === undefined ? asked : asked.filter((name) => granted.includes(name));
  // If none of them was granted, the server must refuse them. Without scopes it would grant all of the login's.
  return given.length > 0 ? given : asked;
}
