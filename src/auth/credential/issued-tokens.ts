import { AuthError } from '../../core/errors.js';
import { attachUpstreamToken } from '../../core/upstream-token.js';
import { isRevokedLogin } from '../../oauth/revoked-logins.js';
import type { ResolvedAuth } from '../../policy/resolve-auth.js';
import { issuedAuth } from '../token/issued-auth.js';
import type { VerifiedToken } from '../token/token-cache.js';

type Verify = (token: string) => Promise<VerifiedToken>;

/** Creates the function that opens the tokens which this server issues. Nothing is fetched, and no other party sees them. */
export function createIssuedVerifier({ oauthProxy, clockToleranceSeconds }: ResolvedAuth): Verify {
  const tokens = oauthProxy?.issuing?.tokens;
  if (tokens === undefined) return refuseIssued;
  const resource = oauthProxy?.resource.href as string;
  return async (token) => {
    const contents = tokens.open(token);
    if (contents === undefined) throw new AuthError('unknown_issued_token', { expected: resource });
    const { subject: sub, clientId: client_id, expiresAt: exp, login } = contents;
    if (exp + clockToleranceSeconds <= Date.now() / 1_000)
      throw new AuthError('token_expired', { sub, client_id, exp });
    const withdrawal = () => (isRevokedLogin(login) ? 'token_revoked' : undefined);
    if (withdrawal() !== undefined) throw new AuthError('token_revoked', { sub, client_id, exp });
    const auth = issuedAuth(token, contents, resource);
    attachUpstreamToken(auth, contents.upstream);
    return { auth, kind: 'issued', isCurrent: () => withdrawal() === undefined, withdrawal, jwt: undefined };
  };
}

async function refuseIssued(): Promise<never> {
  throw new AuthError('unknown_issued_token', { hint: 'the policy has no identity provider' });
}
