import { splitAtSpaces } from '../../providers/identity/identity-provider.js';
import { OAuthError } from '../oauth-error.js';
import type { SealedRefresh } from '../sealed-contents.js';
import { requireParameter, type TokenRequest } from '../token-request.js';
import { type Identity, profileToKeep, readIdentity } from './identity.js';
import { type AccessTokenResponse, issueAccessToken, issueTokens } from './issue-tokens.js';
import type { IssuingContext } from './issuing-context.js';
import { requireAllowedAccount } from './require-allowed-account.js';
import { requestTokens, type UpstreamTokens } from './upstream-tokens.js';

/** Creates the function that exchanges a refresh token that this server issued for new tokens. */
export function createRefresh(context: IssuingContext) {
  const inFlight = new Map<string, Promise<string>>();
  return async (request: TokenRequest): Promise<AccessTokenResponse> => {
    const sealed = await requireRefreshToken(context, request);
    const scopes = requireScopes(context, sealed, request);
    const key = `${sealed.login} ${sealed.generation}`;
    const refreshing = inFlight.get(key) ?? refreshOnce(context, sealed, scopes).finally(() => inFlight.delete(key));
    inFlight.set(key, refreshing);
    return withScopes(context, JSON.parse(await refreshing) as AccessTokenResponse, scopes);
  };
}

/** Two requests with one refresh token share its answer. Each may ask for other scopes, and gets an access token for these. */
function withScopes(
  context: IssuingContext,
  answer: AccessTokenResponse,
  scopes: readonly string[],
): AccessTokenResponse {
  if ((answer.scope ?? '') === scopes.join(' ')) return answer;
  const login = context.seal.open('issued_refresh', answer.refresh_token);
  if (login === undefined)
    throw new OAuthError('invalid_grant', 'This login has ended, and the user must log in again');
  return { ...issueAccessToken(context, login, scopes), refresh_token: answer.refresh_token };
}

async function requireRefreshToken(
  { seal, revocations }: IssuingContext,
  { form, client }: TokenRequest,
): Promise<SealedRefresh> {
  const sealed = seal.open('issued_refresh', requireParameter(form, 'refresh_token'));
  if (sealed === undefined || sealed.client !== client) {
    throw new OAuthError('invalid_grant', 'The refresh token is not valid for this client');
  }
  const { accessToken, accessTokenExpiresAt, endsAt, generation, ...contents } = sealed;
  const upstream = { token: accessToken, expiresAt: accessTokenExpiresAt };
  if (await revocations.isRevoked({ ...contents, id: `${generation}`, expiresAt: endsAt, upstream })) {
    throw new OAuthError('invalid_grant', 'This login has been revoked, and the user must log in again');
  }
  return sealed;
}

/** A scope that the policy no longer has is not granted again. */
function requireScopes({ options }: IssuingContext, sealed: SealedRefresh, { form }: TokenRequest): readonly string[] {
  const scopes = sealed.scopes.filter((scope) => options.scopes.includes(scope));
  const asked = splitAtSpaces(form.get('scope') ?? '');
  if (!asked.every((scope) => scopes.includes(scope))) {
    throw new OAuthError('invalid_scope', 'scope must not contain more than the login was granted');
  }
  return asked.length === 0 ? scopes : scopes.filter((scope) => asked.includes(scope));
}

/** Returns the answer as JSON. A token that was used before gets the same answer for a while; after that its login ends. */
async function refreshOnce(context: IssuingContext, sealed: SealedRefresh, scopes: readonly string[]): Promise<string> {
  const { spent, revocations, renewals } = context;
  const known = await spent.find(sealed);
  // Another replica may have answered since an outage interrupted this refresh here.
  if (known !== undefined) renewals.forget(sealed);
  if (known === 'spent') {
    // Its owner has a newer one, so one of the two users is a thief (RFC 9700, section 4.14.2).
    revocations.revokeLogin({ login: sealed.login, expiry: sealed.endsAt * 1_000 });
    throw new OAuthError('invalid_grant', 'The refresh token was used before, so this login has ended');
  }
  if (known === 'forgotten') {
    throw new OAuthError('invalid_grant', 'This login is no longer remembered, and the user must log in again');
  }
  if (known !== undefined) return known.answer;
  try {
    const answer = await spent.spend(sealed, JSON.stringify(await refresh(context, sealed, scopes)));
    renewals.forget(sealed);
    return answer;
  } catch (error) {
    // The identity provider may refuse a token because another replica has just refreshed it.
    const isRefused = error instanceof OAuthError && error.error === 'invalid_grant';
    if (isRefused) renewals.forget(sealed);
    else await renewals.keep(sealed);
    const other = isRefused ? await spent.findSoon(sealed) : undefined;
    if (other !== undefined) return other;
    throw error;
  }
}

async function refresh(
  context: IssuingContext,
  sealed: SealedRefresh,
  scopes: readonly string[],
): Promise<AccessTokenResponse> {
  const upstream = await context.renewals.get(sealed, (newest) => renew(context, { ...sealed, ...newest }));
  const identity = (await readIdentity(context, upstream, undefined)) ?? knownIdentity(context, sealed);
  if (identity.subject !== sealed.subject) {
    throw new OAuthError('invalid_grant', 'The identity provider answered for another user');
  }
  await requireAllowedAccount(context, identity);
  const { idToken: _, ...tokens } = upstream;
  const about = { claims: identity.claims, profile: profileToKeep(context, identity) };
  return issueTokens(context, { ...sealed, ...tokens, ...about, generation: sealed.generation + 1 }, scopes);
}

/** The user as the last ID token described it. It lasts as long as the identity provider refreshes the login. */
function knownIdentity(
  { identity }: IssuingContext,
  { subject, claims, profile, refreshToken }: SealedRefresh,
): Identity {
  // The function `allow` may be newer than the login.
  if (refreshToken === undefined || (profile === undefined && identity.allow !== undefined)) {
    throw new OAuthError('invalid_grant', 'Nothing shows that this login goes on, so the user must log in again');
  }
  return { subject, claims, profile: profile ?? {} };
}

/** Without a refresh token, the user's token stays the same. The profile then shows if it is still good. */
async function renew(context: IssuingContext, known: Omit<UpstreamTokens, 'idToken'>): Promise<UpstreamTokens> {
  const { accessToken, accessTokenExpiresAt, refreshToken, granted } = known;
  if (refreshToken === undefined) {
    return { accessToken, accessTokenExpiresAt, refreshToken, granted, idToken: undefined };
  }
  const renewed = await requestTokens(context, { grant_type: 'refresh_token', refresh_token: refreshToken });
  // RFC 6749, section 6: without another refresh token, and without scopes, the earlier ones stay.
  return { ...renewed, refreshToken: renewed.refreshToken ?? refreshToken, granted: renewed.granted ?? granted };
}
