import type { IncomingMessage, ServerResponse } from 'node:http';
import { replyJson } from '../../http/reply.js';
import type { AuthenticatedClient } from '../client-authentication.js';
import { fingerprint } from '../fingerprint.js';
import { readRevocationRequest } from '../revocation-request.js';
import { NO_STORE } from '../upstream-answer.js';
import { clientIdClaim, MAX_LOGIN_SECONDS } from './issue-tokens.js';
import type { IssuingContext } from './issuing-context.js';
import { revokeUpstream } from './revoke-upstream.js';

/** A login that its client may revoke. */
interface Revocable {
  readonly login: string;
  /** Seconds since 1970. */
  readonly endsAt: number;
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
}

/** Creates the revocation endpoint (RFC 7009). It ends the whole login, here and at the identity provider. */
export function createIssuedRevocation(context: IssuingContext) {
  return async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const { authenticated, token } = await readRevocationRequest(context, req);
    const revocable = findRevocable(context, authenticated, token);
    if (revocable !== undefined) {
      context.authorities.revokeLogin({ login: revocable.login, expiry: revocable.endsAt * 1_000 });
      await revokeUpstream(context, revocable);
    }
    // RFC 7009, section 2.2: the same answer for other tokens.
    replyJson(res, 200, '{}', NO_STORE);
  };
}

/** RFC 7009, section 2.1: a client may revoke its own tokens only. */
function findRevocable(
  { seal, tokens }: IssuingContext,
  { client }: AuthenticatedClient,
  token: string,
): Revocable | undefined {
  const refresh = seal.open('issued_refresh', token);
  if (refresh !== undefined) return refresh.client === fingerprint(client.id) ? refresh : undefined;
  const access = tokens.open(token);
  if (access === undefined || access.clientId !== clientIdClaim(client)) return undefined;
  const endsAt = access.issuedAt + MAX_LOGIN_SECONDS;
  return { login: access.login, endsAt, accessToken: access.upstream.token, refreshToken: undefined };
}
