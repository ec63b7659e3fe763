import { UpstreamError } from '../../core/errors.js';
import { basicHeader } from '../../upstream/basic-header.js';
import { callServer } from '../../upstream/call-server.js';
import { toUpstreamError } from '../upstream-answer.js';
import type { IssuingContext } from './issuing-context.js';
import type { UpstreamTokens } from './upstream-tokens.js';

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
    'user-agent': 'express-mcp-auth',
    ...(rules.credentials === 'basic' ? basicHeader(client.id, client.secret) : {}),
  };
  const body = type === 'json' ? JSON.stringify(members) : new URLSearchParams(members).toString();
  const { status } = await callServer(new URL(rules.url(client.id)), { method: rules.method, headers, body }).catch(
    toUpstreamError,
  );
  // For a token that is not known there, 4xx: it is no longer good in any case.
  if (status === 401 || status === 403) {
    const cause = new Error(`the revocation at ${provider.name} answered ${status}; check clientId and clientSecret`);
    throw new UpstreamError('client_refused', { cause });
  }
}
