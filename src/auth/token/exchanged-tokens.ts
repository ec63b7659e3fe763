import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { AuthInfo } from '../../core/auth-info.js';
import { userOf } from '../../core/principal.js';
import { createRareLines } from '../../core/rare-line.js';
import type { ExchangeToken } from '../../core/upstream-token.js';
import type { ResolvedAuth } from '../../policy/resolve-auth.js';
import type { ResolvedExchange } from '../../policy/resolve-upstream-token.js';
import { createMetadata } from '../../upstream/server-metadata.js';
import { type ExchangedToken, exchangeToken } from '../../upstream/token-exchange.js';
import type { VerifiedToken } from './token-cache.js';

/** Returns the exchange of a caller's token. Undefined for a token that is not exchanged. */
type ExchangeFor = (verified: VerifiedToken) => ExchangeToken | undefined;

/** A remembered token. */
interface Entry {
  readonly token: string;
  /** On the clock of `performance.now()`. */
  readonly until: number;
  /** The same on the clock of `Date.now()`: the other clock stops while the machine sleeps. */
  readonly untilDate: number;
}

const MAX_ENTRIES = 10_000;
/** Characters of all remembered tokens together. */
const MAX_LENGTH = 16_777_216;
/** Seconds. A token that lives longer is exchanged again: its user's rights may change at the other server. */
const MAX_SECONDS = 3_600;
/** Seconds for a token whose life is not known. */
const UNKNOWN_SECONDS = 60;
/** A token is not used in its last seconds, so that the call for which it is used can end in time. */
const SPARE_SECONDS = 30;

/**
 * Exchanges the tokens of one policy when they are first needed. It remembers the result for each user and token until shortly before it
 * expires, and makes one call at a time for each. Failures are not remembered.
 */
export function createExchangedTokens(resolved: ResolvedAuth): ExchangeFor {
  const { exchange, logger } = resolved;
  if (exchange === undefined) return () => undefined;
  const endpointFor = createEndpoint(exchange, resolved);
  const log = createRareLines<string>((line) => logger.error(line));
  const entries = new LRUCache<string, Entry>({
    maxSize: MAX_LENGTH,
    sizeCalculation: ({ token }) => token.length,
  });
  const pending = new Map<string, Promise<string>>();

  async function ask(auth: AuthInfo, key: string): Promise<string> {
    const url = await endpointFor(String(auth.payload.iss));
    const exchanged = await exchangeToken(url, auth.token, exchange as ResolvedExchange, log);
    entries.set(key, entryOf(exchanged));
    // Not by the option `max`: see atMost() in core/.
    if (entries.size > MAX_ENTRIES) entries.pop();
    return exchanged.token;
  }

  function exchangeOf(auth: AuthInfo): Promise<string> {
    const key = keyOf(auth);
    const entry = entries.get(key);
    if (entry !== undefined && performance.now() < entry.until && Date.now() < entry.untilDate)
      return Promise.resolve(entry.token);
    const shared = pending.get(key);
    if (shared !== undefined) return shared;
    const asked = ask(auth, key).finally(() => pending.delete(key));
    pending.set(key, asked);
    return asked;
  }

  return ({ auth, kind, jwt }) => {
    // No other server may see the token, so its issuer counts.
    const issuer = kind === 'opaque' ? auth.payload.iss : jwt?.trusted.name;
    return issuer === exchange.trusted.name ? () => exchangeOf(auth) : undefined;
  };
}

function entryOf({ token, lifetimeSeconds = UNKNOWN_SECONDS }: ExchangedToken): Entry {
  // Half of the lifetime if that is under a minute.
  const spare = Math.min(SPARE_SECONDS, lifetimeSeconds / 2);
  const ms = Math.min(MAX_SECONDS, lifetimeSeconds - spare) * 1_000;
  return { token, until: performance.now() + ms, untilDate: Date.now() + ms };
}

/** The key contains the user, so that a faulty server cannot make one user get the token of another. */
function keyOf(auth: AuthInfo): string {
  return `${createHash('sha256').update(auth.token).digest('base64')} ${userOf(auth)}`;
}

/** Creates the function that finds the token endpoint for tokens with this `iss`. */
function createEndpoint(
  { endpointFor, metadataUrls: urls, metadataIssuer: issuer, allowHttp }: ResolvedExchange,
  { staleIfErrorSeconds, logger }: Pick<ResolvedAuth, 'staleIfErrorSeconds' | 'logger'>,
): (iss: string) => Promise<URL> {
  if (endpointFor !== undefined) return async (iss) => endpointFor(iss);
  const source = { urls, issuer, allowHttp, staleIfErrorSeconds, logger };
  return createMetadata(source, ({ requiredEndpoint }) => requiredEndpoint('token_endpoint'));
}
