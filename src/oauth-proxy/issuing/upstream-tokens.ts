import { UpstreamError } from '../../core/errors.js';
import { printableJson } from '../../core/printable.js';
import type { ResolvedIssuing } from '../../policy/resolve-issuing.js';
import { basicHeader, formEncode } from '../../upstream/basic-header.js';
import type { ServerAnswer } from '../../upstream/call-server.js';
import { OAuthError } from '../oauth-error.js';
import { busyError, isBusy } from '../upstream-answer.js';
import { type ClientCredentials, postForm } from '../upstream-credentials.js';

/** The user's tokens, as the identity provider gave them. */
export interface UpstreamTokens {
  readonly accessToken: string;
  /** Seconds since 1970. Undefined if it does not expire. */
  readonly accessTokenExpiresAt: number | undefined;
  readonly refreshToken: string | undefined;
  readonly idToken: string | undefined;
  /** Undefined if the identity provider has not said. */
  readonly granted: readonly string[] | undefined;
}

/**
 * Exchanges a code or a refresh token at the identity provider.
 *
 * @throws {OAuthError} `invalid_grant`: the identity provider refuses it.
 * @throws {UpstreamError}
 */
export async function requestTokens(
  context: Pick<ResolvedIssuing, 'identity'>,
  form: Readonly<Record<string, string>>,
): Promise<UpstreamTokens> {
  const { provider } = context.identity;
  const answer = await postForm(new URL(provider.tokenEndpoint), form, credentialsOf(context.identity));
  const { body } = answer;
  // GitHub answers errors with 200.
  if (answer.status >= 400 || typeof body?.error === 'string') throw refusalFor(answer, provider.name);
  if (typeof body?.access_token !== 'string' || body.access_token === '') {
    throw new UpstreamError('authorization_server_malformed');
  }
  return {
    accessToken: body.access_token,
    accessTokenExpiresAt: expiryIn(body.expires_in),
    refreshToken: textIn(body.refresh_token),
    idToken: textIn(body.id_token),
    granted: typeof body.scope === 'string' ? provider.splitScopes(body.scope) : undefined,
  };
}

/** The credentials of this server at the identity provider (RFC 6749, section 2.3.1). */
export function credentialsOf({ provider, client }: ResolvedIssuing['identity']): ClientCredentials {
  const { id, secret } = client;
  if (provider.authMethod === 'client_secret_post') {
    return { body: { client_id: id, client_secret: secret }, headers: {}, secret };
  }
  return { body: {}, headers: basicHeader(formEncode(id), formEncode(secret)), secret };
}

/**
 * The errors that end a login, or that refuse its code. Any other one may be about this server or an outage: a client would discard a refresh token
 * that is still good.
 */
const ABOUT_THE_LOGIN: ReadonlySet<string> = new Set([
  // RFC 6749, section 5.2, and what authorization endpoints say (also OpenID Connect Core, section 3.1.2.6), which some servers send here too.
  'invalid_grant',
  'access_denied',
  'consent_required',
  'interaction_required',
  'login_required',
  // RFC 6750, section 3.1, and RFC 8628, section 3.5.
  'invalid_token',
  'expired_token',
  // GitHub.
  'bad_refresh_token',
  'bad_verification_code',
  'unverified_user_email',
  // Slack.
  'account_inactive',
  'code_already_used',
  'code_expired',
  'invalid_code',
  'invalid_refresh_token',
  'token_expired',
  'token_revoked',
]);

/** An MCP client that saw an error about this server's client would discard its own registration. */
function refusalFor(answer: ServerAnswer, name: string): Error {
  const { status, body } = answer;
  const error = textIn(body?.error);
  const said = `${name} answered ${status}${error === undefined ? '' : ` ${printableJson(error, 80)}`}`;
  if (isBusy(answer)) return busyError(answer, said);
  if (status === 403 && error === undefined) {
    return new UpstreamError('authorization_server_unavailable', { cause: new Error(said) });
  }
  if (error === undefined || !ABOUT_THE_LOGIN.has(error)) {
    const check = 'check clientId, clientSecret, and the callback that is registered there';
    return new UpstreamError('client_refused', { cause: new Error(`${said}; ${check}`) });
  }
  const message = 'The identity provider has ended this login, and the user must log in again';
  return new OAuthError('invalid_grant', message, 400, { reason: said, advice: 'the user must log in again' });
}

function textIn(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Some servers write the number as a string. */
function expiryIn(given: unknown): number | undefined {
  const seconds = typeof given === 'string' ? Number.parseInt(given, 10) : given;
  if (typeof seconds !== 'number' || !Number.isFinite(seconds) || seconds <= 0) return undefined;
  return Math.floor(Date.now() / 1_000 + seconds);
}
