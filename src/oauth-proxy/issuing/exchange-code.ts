import { randomBytes } from 'node:crypto';
import type { RevokedLogin } from '../../oauth/revoked-logins.js';
import { fingerprint } from '../fingerprint.js';
import { OAuthError } from '../oauth-error.js';
import { requireCode, type TokenRequest } from '../token-request.js';
import { profileToKeep, readIdentity } from './identity.js';
import {
  type AccessTokenResponse,
  clientIdClaim,
  type IssuedLogin,
  issueTokens,
  MAX_LOGIN_SECONDS,
} from './issue-tokens.js';
import type { IssuingContext } from './issuing-context.js';
import { nonceFor } from './login-parameters.js';
import { AccountRefusal, requireAllowedAccount } from './require-allowed-account.js';
import { revokeUpstream } from './revoke-upstream.js';
import { grantedScopes } from './scopes-of-tokens.js';
import { requestTokens, type UpstreamTokens } from './upstream-tokens.js';

/**
 * Exchanges a code of the OAuth proxy. It can be used once: a second use is refused, and revokes the login of the first. A login that an outage
 * interrupted can go on with it.
 *
 * @throws {OAuthError}
 * @throws {UpstreamError}
 */
export async function exchangeCode(context: IssuingContext, request: TokenRequest): Promise<AccessTokenResponse> {
  const { code, verifier, scopes: asked } = requireCode(context.seal, request);
  if (verifier === undefined)
    throw new OAuthError(
      'invalid_grant',
      'The login began with other options of this server, so the user must log in again',
    );
  const returned = { code, verifier, key: fingerprint(code, verifier) };
  // The MCP SDK tries a refused code once more. The user must see why it was refused, and not that it was used before.
  const refusal = context.refusedCodes.get(returned.key);
  if (refusal !== undefined) throw refusal;
  await requireUnused(context, returned);
  const { upstream, identity } = await redeem(context, returned);
  const scopes = grantedScopes(context.options, asked);
  const login = {
    client: request.client,
    clientId: clientIdClaim(request.authenticated.client),
    login: randomBytes(12).toString('base64url'),
    generation: 0,
    endsAt: Math.floor(Date.now() / 1_000) + MAX_LOGIN_SECONDS,
    scopes,
    subject: identity.subject,
    claims: identity.claims,
    profile: profileToKeep(context, identity),
    ...withoutIdToken(upstream),
  };
  const answer = issueTokens(context, login, scopes, asked);
  if (!(await context.usedCodes.use(returned.key, revocableLogin(login)))) throw usedBefore();
  return answer;
}

/**
 * RFC 6749, section 4.1.2: one of the two who use a code may have stolen it, so a second use ends the login of the first. If both come at once,
 * the one that is refused cannot know the other's login yet, which stays.
 */
async function requireUnused({ usedCodes, revocations }: IssuingContext, { key }: ReturnedLogin): Promise<void> {
  const login = await usedCodes.find(key);
  if (login === undefined) return;
  revocations.revokeLogin(login);
  throw usedBefore();
}

function revocableLogin({ login, endsAt }: IssuedLogin): RevokedLogin {
  return { login, expiry: endsAt * 1_000 };
}

function usedBefore(): OAuthError {
  return new OAuthError('invalid_grant', 'The code was used before, so the user must log in again');
}

/** A login at the identity provider that has come back. */
interface ReturnedLogin {
  readonly code: string;
  /** The secret of this login. */
  readonly verifier: string;
  /** Tells the login from another one with the same code: anyone can put a code that has leaked into the callback of an own login. */
  readonly key: string;
}

/** Exchanges the identity provider's code, unless an earlier request has done that and then failed, and finds out who the user is. */
async function redeem(context: IssuingContext, { code, verifier, key }: ReturnedLogin) {
  const { identity: settings, redeemedCodes, refusedCodes, endpoints } = context;
  const kept = await redeemedCodes.find(key);
  const upstream =
    kept ??
    (await requestTokens(context, {
      grant_type: 'authorization_code',
      code,
      redirect_uri: endpoints.callback,
      ...(settings.provider.supportsPkce ? { code_verifier: verifier } : {}),
    }));
  const identity = await identify(context, upstream, nonceFor(verifier)).catch(async (error: unknown) => {
    if (error instanceof OAuthError) refusedCodes.set(key, error);
    else if (kept === undefined) await redeemedCodes.keep(key, upstream);
    throw error;
  });
  if (kept !== undefined && !(await redeemedCodes.take(key))) throw usedBefore();
  return { upstream, identity };
}

/** A token of an account that may not use this server is of no use here, so it is revoked. If `allow` failed, nothing is known about the account. */
async function identify(context: IssuingContext, upstream: UpstreamTokens, nonce: string) {
  const identity = await readIdentity(context, upstream, nonce);
  if (identity === undefined) throw new Error('the identity provider has neither an ID token nor a profile');
  try {
    await requireAllowedAccount(context, identity);
  } catch (error) {
    if (error instanceof AccountRefusal) revokeUpstream(context, upstream).catch(() => undefined);
    throw error;
  }
  return identity;
}

function withoutIdToken({ idToken: _, ...tokens }: UpstreamTokens): Omit<UpstreamTokens, 'idToken'> {
  return tokens;
}
