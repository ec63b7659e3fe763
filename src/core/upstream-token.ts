import type { AuthInfo } from './auth-info.js';
import { createCallerValues } from './caller-values.js';

/** The user's own token of the identity provider, which an issued token contains. */
export interface UpstreamToken {
  readonly token: string;
  /** Seconds since 1970. Undefined if the token does not expire. */
  readonly expiresAt: number | undefined;
}

const tokens = createCallerValues<UpstreamToken>('upstream token');

/** Keeps the user's own token for a caller. */
export function attachUpstreamToken(auth: AuthInfo, token: UpstreamToken | undefined): void {
  if (token !== undefined) tokens.set(auth, token);
}

/** Returns the user's own token of the identity provider. Undefined for a caller without an issued token. */
export function upstreamTokenOf(auth: AuthInfo): UpstreamToken | undefined {
  return tokens.get(auth);
}

/** Exchanges the token that the caller sent for one of another API. */
export type ExchangeToken = () => Promise<string>;

const exchanges = createCallerValues<ExchangeToken>('token exchange');

/** Lets {@link tokenExchangeOf} find the exchange of a caller's token. */
export function attachTokenExchange(auth: AuthInfo, exchange: ExchangeToken | undefined): void {
  if (exchange !== undefined) exchanges.set(auth, exchange);
}

/** Returns the exchange of a caller's token. Undefined for a token that is not exchanged. */
export function tokenExchangeOf(auth: AuthInfo): ExchangeToken | undefined {
  return exchanges.get(auth);
}
