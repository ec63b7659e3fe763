import type { IncomingMessage, ServerResponse } from 'node:http';
import { replyJson } from '../../http/reply.js';
import type { AuthenticatedClient } from '../client-authentication.js';
import { fingerprint } from '../fingerprint.js';
import { readRevocationRequest } from '../revocation-request.js';
import type { SealedRefresh } from '../sealed-contents.js';
import { NO_STORE } from '../upstream-answer.js';
import { clientIdClaim, MAX_LOGIN_SECONDS } from './issue-tokens.js';
import type { IssuingContext } from './issuing-context.js';
import { revokeUpstream } from './revoke-upstream.js';

/** A login that its client may revoke. Only its refresh token says how often its tokens were refreshed. */
interface Revocable extends Pick<SealedRefresh, 'login' | 'endsAt' | 'accessToken' | 'refreshToken'> {
  readonly generation: number | undefined;
}

/** Creates the revocation endpoint (RFC 7009). It ends the whole login, here and at the identity provider. */
export function createIssuedRevocation(context: IssuingContext) {
  return async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const { authenticated, token } = await readRevocationRequest(context, req);
    const revocable = findRevocable(context, authenticated, token);
    if (revocable !== undefined) {
      context.revocations.revokeLogin({ login: revocable.login, expiry: revocable.endsAt * 1_000 });
      await revokeUpstream(context, await newestTokens(context, revocable));
      // Not before: the client may try again after an outage.
      context.renewals.forget(revocable);
    }
    // RFC 7009, section 2.2: the same answer for other tokens.
    replyJson(res, 200, '{}', NO_STORE);
  };
}

/** The identity provider may have given others at a refresh that an outage interrupted. */
async function newestTokens({ renewals }: IssuingContext, { generation, ...revocable }: Revocable) {
  if (generation === undefined) return revocable;
  // Without the store, which the log has a line about, the client's own tokens are revoked.
  return (await renewals.find({ ...revocable, generation }).catch(() => undefined)) ?? revocable;
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
  const accessToken = access.upstream.token;
  return { login: access.login, generation: undefined, endsAt, accessToken, refreshToken: undefined };
}
