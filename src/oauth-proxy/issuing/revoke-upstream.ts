import { UpstreamError } from '../../core/errors.js';
import { printableJson } from '../../core/printable.js';
import type { RevocationRules } from '../../providers/identity/identity-provider.js';
import { basicHeader, formEncode } from '../../upstream/basic-header.js';
import { callServer, type ServerAnswer, USER_AGENT } from '../../upstream/call-server.js';
import { busyError, isBusy, isClientUnknown, toUpstreamError } from '../upstream-answer.js';
import type { IssuingContext } from './issuing-context.js';
import type { UpstreamTokens } from './upstream-tokens.js';

/** Only forms have the encoding of RFC 6749, section 2.3.1. */
function credentials({ id, secret }: IssuingContext['identity']['client'], type: 'form' | 'json') {
  return type === 'form' ? basicHeader(formEncode(id), formEncode(secret)) : basicHeader(id, secret);
}

/**
 * Revokes the user's token at the identity provider, if that is possible there.
 *
 * @throws {UpstreamError}
 */
export async function revokeUpstream(
  { identity }: Pick<IssuingContext, 'identity'>,
  { accessToken, refreshToken }: Pick<UpstreamTokens, 'accessToken' | 'refreshToken'>,
): Promise<void> {
  const { client, provider } = identity;
  const { revocation: rules } = provider;
  if (rules === undefined) return;
  const { type, member } = rules.body;
  const token = rules.takesRefreshTokens ? (refreshToken ?? accessToken) : accessToken;
  const inBody = rules.credentials === 'body' ? { client_id: client.id, client_secret: client.secret } : {};
  const members = { [member]: token, ...inBody };
  const headers = {
    'content-type': type === 'json' ? 'application/json' : 'application/x-www-form-urlencoded',
    'user-agent': USER_AGENT,
    ...(rules.credentials === 'basic' ? credentials(client, type) : {}),
  };
  const body = type === 'json' ? JSON.stringify(members) : new URLSearchParams(members).toString();
  const answer = await callServer(new URL(rules.url(client.id)), { method: rules.method, headers, body }).catch(
    toUpstreamError,
  );
  if (!isGone(answer, rules)) throw refusalFor(answer, provider.name);
}

/** True if the token is no longer good there. That includes an unknown token (RFC 7009, section 2.2), which some servers call `invalid_token`. */
function isGone({ status, body }: ServerAnswer, { unknownTokenStatus }: RevocationRules): boolean {
  return status < 400 || status === unknownTokenStatus || (status === 400 && body?.error === 'invalid_token');
}

function refusalFor(answer: ServerAnswer, name: string): UpstreamError {
  const { status, body } = answer;
  const error = typeof body?.error === 'string' ? ` ${printableJson(body.error, 80)}` : '';
  const said = `the revocation at ${name} answered ${status}${error}`;
  if (isBusy(answer)) return busyError(answer, said);
  if (status === 401 || status === 403 || isClientUnknown(answer)) {
    return new UpstreamError('client_refused', { cause: new Error(`${said}; check clientId and clientSecret`) });
  }
  const cause = new Error(`${said}; the user's token may still be good there`);
  return new UpstreamError('authorization_server_malformed', { cause });
}
