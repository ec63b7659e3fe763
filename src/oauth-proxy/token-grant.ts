import { createHash } from 'node:crypto';
import type { Parameters } from '../http/form.js';
import { isSameResource } from './authorization-request.js';
import type { OAuthProxyContext } from './context.js';
import { OAuthError } from './oauth-error.js';
import type { UpstreamClient } from './sealed-contents.js';
import { splitList } from './split-list.js';

/** A code or a refresh token of a client, opened and checked. */
export interface Grant {
  /** The scopes of the login request. */
  readonly scopes: readonly string[];
  /** The scopes that the upstream server granted at the login, in its own spelling; undefined if it has not said. */
  readonly granted: readonly string[] | undefined;
  /** The client that this server registered at the upstream server for the login. */
  readonly registered: UpstreamClient | undefined;
  /** The form for the upstream server. */
  readonly form: Readonly<Record<string, string>>;
}

/**
 * Reads the grant of a token request.
 *
 * @param client The fingerprint of the client's id.
 * @throws {OAuthError} Also for every other grant type: with the shared secret, `client_credentials` would need no user.
 */
export function readGrant(context: OAuthProxyContext, form: Parameters, client: string): Grant {
  const grantType = form.get('grant_type');
  const resource = form.get('resource');
  if (resource !== undefined && !isSameResource(resource, context.options.resource.href)) {
    throw new OAuthError('invalid_target', 'resource must be the resource of this server');
  }
  const target = context.options.provider.acceptsResource ? { resource: context.options.resource.href } : {};
  const read = grantType === undefined ? undefined : GRANTS.get(grantType);
  if (read === undefined) {
    throw new OAuthError('unsupported_grant_type', 'grant_type must be authorization_code or refresh_token');
  }
  const grant = read(context, form, client);
  return { ...grant, form: { ...grant.form, ...target } };
}

const GRANTS: ReadonlyMap<string, typeof readCodeGrant> = new Map([
  ['authorization_code', readCodeGrant],
  ['refresh_token', readRefreshGrant],
]);

function readCodeGrant({ seal, endpoints, options }: OAuthProxyContext, form: Parameters, client: string): Grant {
  const sealed = seal.open('code', form.get('code'));
  const redirectUri = form.get('redirect_uri');
  // RFC 6749, section 4.1.3. Clients of OAuth 2.1 leave out the redirect URI: PKCE replaces this check.
  const sameUri = redirectUri === undefined || redirectUri === sealed?.redirectUri;
  if (sealed === undefined || sealed.client !== client || !sameUri) {
    throw new OAuthError('invalid_grant', 'The code has expired, or is not for this client and redirect URI');
  }
  const verifier = form.get('code_verifier');
  if (verifier === undefined) throw new OAuthError('invalid_request', 'PKCE is required: code_verifier');
  // RFC 7636, section 4.6. Checked here because not every upstream server does it.
  if (createHash('sha256').update(verifier).digest('base64url') !== sealed.codeChallenge) {
    throw new OAuthError('invalid_grant', 'code_verifier does not match code_challenge');
  }
  const { scopes, code, upstream } = sealed;
  return {
    scopes,
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

function readRefreshGrant({ seal, options }: OAuthProxyContext, form: Parameters, client: string): Grant {
  const sealed = seal.open('refresh_token', form.get('refresh_token'));
  if (sealed === undefined || sealed.client !== client) {
    throw new OAuthError('invalid_grant', 'The refresh token is not valid for this client');
  }
  const { scopes, granted, token, upstream } = sealed;
  const scope = refreshScopes(options, sealed, splitList(form.get('scope') ?? '')).join(' ');
  return {
    scopes,
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
  { scopes, granted }: Pick<Grant, 'scopes' | 'granted'>,
  wanted: readonly string[],
): readonly string[] {
  // A client that names no scope asks for all of its login.
  const upstreamNames = (names: readonly string[]) =>
    names.length === 0 ? [] : provider.upstreamScopes(names, audiences);
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
