import { shareValue } from '../../core/shared-state.js';
import type { ResolvedAuth } from '../../policy/resolve-auth.js';
import { createGuardedStore } from '../../store/guarded-store.js';
import { OAuthError } from '../oauth-error.js';
import type { OAuthProxySeal, SealedRefresh } from '../sealed-contents.js';
import { isIdTokenOver } from './id-token-expiry.js';
import { createRenewalChains, type Renewal } from './renewal-chains.js';
import { RenewalMemory } from './renewal-memory.js';
import { REFRESHING } from './spent-tokens.js';
import type { UpstreamTokens } from './upstream-tokens.js';

/**
 * Remembers the tokens that the identity provider gave at a refresh, until the client has got its own. If the provider rotates refresh
 * tokens, the earlier one no longer works. The client may try again after an outage, for example of the profile, and its login must go on.
 */
export interface Renewals {
  /**
   * Returns the remembered answer for one of our refresh tokens, unless a token in it is about to expire. Otherwise it calls `renew`, with the
   * remembered tokens if there are any: their refresh token is the newest.
   */
  get(refresh: Refresh, renew: Renew): Promise<UpstreamTokens>;
  /** Keeps the answer until the login ends: an outage has interrupted the refresh, and its end is not known. */
  keep(refresh: Refresh): Promise<void>;
  /** Forgets the answer in this process, once the client has got its tokens or its login has ended. */
  forget(refresh: Named): void;
  /**
   * Returns the remembered answer, even if a token in it has expired.
   *
   * @throws {UpstreamError} If the store is down.
   */
  find(refresh: Refresh): Promise<UpstreamTokens | undefined>;
}

type Renew = (newest: UpstreamTokens | undefined) => Promise<UpstreamTokens>;
/** `generation` is undefined if only an access token names the login: no answer is found for it. */
type Named = Pick<Refresh, 'login'> & { readonly generation: number | undefined };
type Refresh = Pick<SealedRefresh, 'login' | 'generation' | 'endsAt' | 'refreshToken'>;

/** Long enough for a client to try again. `keep()` extends it after an outage. */
const KEEP_MS = 600_000;
/** Longer than a refresh takes: a token that ends meanwhile would end the login. */
const MARGIN_MS = 60_000;

/** Without a store, answers do not belong to a policy, since a reload makes another one. */
const ownMemory = shareValue('renewals of logins', () => new RenewalMemory());

/** With a store, other replicas find the answers too. */
export function createRenewals(
  seal: OAuthProxySeal,
  { store, logger }: Pick<ResolvedAuth, 'store' | 'logger'>,
): Renewals {
  const own = store === undefined ? ownMemory : new RenewalMemory();
  const chains = store && createRenewalChains(createGuardedStore(store, { ...REFRESHING, logger }), seal);
  const keyOf = ({ login, generation }: Named) => `${login} ${generation}`;

  const newestOf = async (key: string, known: Renewal | undefined, first: string) =>
    (await chains?.follow(key, known?.tokens.refreshToken ?? first)) ?? known;

  /** Looks first: a provider that sees a rotated refresh token again may end the login. */
  async function findOrRenew(key: string, first: string, renew: Renew): Promise<Renewal> {
    const known = own.get(key);
    if (known !== undefined && !endsWithin(MARGIN_MS, known)) return known;
    const newest = await newestOf(key, known, first);
    if (newest !== undefined && !endsWithin(MARGIN_MS, newest)) return newest;
    const used = newest?.tokens.refreshToken ?? first;
    try {
      return { used, tokens: await renew(newest?.tokens) };
    } catch (error) {
      // Another replica may have renewed them at the same time.
      const found = error instanceof OAuthError ? await chains?.follow(key, used) : undefined;
      if (found === undefined || endsWithin(0, found)) throw error;
      return found;
    }
  }

  return {
    async get(refresh, renew) {
      // Without a refresh token, the user's token stays the same.
      if (refresh.refreshToken === undefined) return renew(undefined);
      const key = keyOf(refresh);
      const found = await findOrRenew(key, refresh.refreshToken, renew);
      if (own.get(key) === found) return found.tokens;
      // Kept with its end, so that all replicas renew it from the same time on.
      const renewal = { ...found, tokens: withExpiry(found.tokens) };
      own.set(key, renewal, KEEP_MS);
      await chains?.add(key, renewal, KEEP_MS);
      return found.tokens;
    },
    async keep(refresh) {
      const renewal = own.get(keyOf(refresh));
      if (renewal === undefined) return;
      const keepMs = Math.max(refresh.endsAt * 1_000 - Date.now(), KEEP_MS);
      own.set(keyOf(refresh), renewal, keepMs);
      // The log has a line about a store that is down. The next attempt of the client tries again.
      await chains?.keep(keyOf(refresh), renewal, keepMs).catch(() => undefined);
    },
    forget: (refresh) => void own.delete(keyOf(refresh)),
    async find(refresh) {
      const key = keyOf(refresh);
      const { refreshToken } = refresh;
      return refreshToken === undefined ? undefined : (await newestOf(key, own.get(key), refreshToken))?.tokens;
    },
  };
}

/** If the provider does not say when an access token expires, it counts as expired after {@link KEEP_MS}, and is then renewed. */
function withExpiry(tokens: UpstreamTokens): UpstreamTokens {
  const { accessTokenExpiresAt = Math.floor((Date.now() + KEEP_MS) / 1_000) } = tokens;
  return { ...tokens, accessTokenExpiresAt };
}

/** Some providers give ID tokens a shorter life than access tokens. */
function endsWithin(ms: number, { tokens }: Renewal): boolean {
  const { accessTokenExpiresAt = Number.POSITIVE_INFINITY, idToken } = tokens;
  const time = Date.now() + ms;
  return accessTokenExpiresAt * 1_000 <= time || (idToken !== undefined && isIdTokenOver(idToken, time));
}
