import { randomBytes } from 'node:crypto';
import type { Client } from '../client.js';
import { fingerprint } from '../fingerprint.js';
import { OAuthError } from '../oauth-error.js';
import type { SealedRefresh } from '../sealed-contents.js';
import { warnOfLeftOut, withoutLists } from './issued-claims.js';
import type { IssuingContext } from './issuing-context.js';

/** The answer of the token endpoint (RFC 6749, section 5.1). */
export interface AccessTokenResponse {
  readonly access_token: string;
  readonly token_type: 'Bearer';
  readonly expires_in: number;
  readonly scope?: string;
  readonly refresh_token: string;
}

/** A login ends after 30 days, however often its tokens are refreshed. */
export const MAX_LOGIN_SECONDS = 30 * 86_400;

const MAX_ACCESS_SECONDS = 3_600;

/** A login whose tokens are issued, with everything that its refresh token contains. */
export type IssuedLogin = Omit<SealedRefresh, 'issuedAt'>;

/**
 * Issues an access token and a refresh token.
 *
 * @param scopes The scopes of the access token, which may be fewer than those of the login.
 * @param expected The scopes that the client would believe that it has if the answer named none: those that it asked for, or those of its login.
 * @throws {OAuthError}
 */
export function issueTokens(
  context: Pick<IssuingContext, 'tokens' | 'seal' | 'warnOfLeftOutClaim'>,
  login: IssuedLogin,
  scopes: readonly string[],
  expected?: readonly string[],
): AccessTokenResponse {
  const issuedAt = Math.floor(Date.now() / 1_000);
  const access = issueAccessToken(context, login, scopes, expected);
  const { endsAt } = login;
  return { ...access, refresh_token: context.seal.close('issued_refresh', { ...login, issuedAt }, endsAt - issuedAt) };
}

/** Issues an access token alone, as {@link issueTokens}. */
export function issueAccessToken(
  context: Pick<IssuingContext, 'tokens' | 'warnOfLeftOutClaim'>,
  login: IssuedLogin,
  scopes: readonly string[],
  expected: readonly string[] = login.scopes,
): Omit<AccessTokenResponse, 'refresh_token'> {
  const issuedAt = Math.floor(Date.now() / 1_000);
  const { accessToken, accessTokenExpiresAt = Number.POSITIVE_INFINITY, endsAt } = login;
  const expiresAt = Math.min(issuedAt + MAX_ACCESS_SECONDS, accessTokenExpiresAt, endsAt);
  if (expiresAt <= issuedAt)
    throw new OAuthError('invalid_grant', 'This login has ended, and the user must log in again');
  const { subject, clientId, claims } = login;
  const upstream = { token: accessToken, expiresAt: login.accessTokenExpiresAt };
  const id = randomBytes(9).toString('base64url');
  const contents = { subject, clientId, scopes, issuedAt, expiresAt, id, login: login.login, claims, upstream };
  return {
    access_token: issueShortToken(context, contents),
    token_type: 'Bearer',
    expires_in: expiresAt - issuedAt,
    // None may be less than the client asked for. Like GitHub, this server then says so with an empty string.
    ...(scopes.length === 0 && expected.length === 0 ? {} : { scope: scopes.join(' ') }),
  };
}

function issueShortToken(
  context: Pick<IssuingContext, 'tokens' | 'warnOfLeftOutClaim'>,
  contents: Parameters<IssuingContext['tokens']['issue']>[0],
): string {
  const { tokens } = context;
  const whole = tokens.issue(contents);
  if (whole !== undefined) return whole;
  const { kept, leftOut } = withoutLists(contents.claims);
  const shorter = tokens.issue({ ...contents, claims: kept }) ?? refuseLongToken();
  warnOfLeftOut(context, contents.subject, leftOut);
  return shorter;
}

function refuseLongToken(): never {
  throw new OAuthError('server_error', 'The token of this account would be longer than 6 KB', 500, {
    advice:
      'no proxy or server would accept it in a header: ask for fewer scopes, or make the identity provider issue shorter tokens',
  });
}

/** The claim `client_id`: the name that operators know, or a short one for a client that registered itself. */
export function clientIdClaim(client: Client): string {
  return client.source === 'registered' ? fingerprint(client.id) : client.id;
}
