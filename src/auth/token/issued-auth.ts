import { type AuthInfo, issueAuth } from '../../core/auth-info.js';
import type { IssuedToken } from '../../oauth/issued-token.js';

/** Returns the identity in an issued token. The upstream token is not in it. */
export function issuedAuth(token: string, contents: IssuedToken, resource: string): AuthInfo {
  const { subject, clientId, scopes, issuedAt, expiresAt, id, login, claims } = contents;
  const payload = {
    ...claims,
    iss: resource,
    sub: subject,
    aud: resource,
    client_id: clientId,
    scope: scopes.join(' '),
    iat: issuedAt,
    exp: expiresAt,
    jti: id,
    sid: login,
  };
  return issueAuth({
    token,
    clientId,
    subject,
    scopes: [...scopes],
    expiresAt,
    resource: new URL(resource),
    extra: payload,
    header: {},
    payload,
  });
}
