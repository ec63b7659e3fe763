import { UpstreamError } from '../../core/errors.js';
import { basicHeader, formEncode } from '../../upstream/basic-header.js';
import { callServer, USER_AGENT } from '../../upstream/call-server.js';
import { toUpstreamError } from '../upstream-answer.js';
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
  const { status } = await callServer(new URL(rules.url(client.id)), { method: rules.method, headers, body }).catch(
    toUpstreamError,
  );
  // Any other 4xx says that the server does not know the token, so it is no longer good.
  if (status === 401 || status === 403) {
    const cause = new Error(`the revocation at ${provider.name} answered ${status}; check clientId and clientSecret`);
    throw new UpstreamError('client_refused', { cause });
  }
}
