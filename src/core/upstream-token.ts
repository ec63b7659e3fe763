import type { AuthInfo } from './auth-info.js';
import { shareValue } from './shared-state.js';

/** The user's own token of the identity provider, which an issued token contains. */
export interface UpstreamToken {
  readonly token: string;
  /** Seconds since 1970. Undefined if the token does not expire. */
  readonly expiresAt: number | undefined;
}

/** Exchanges the token that the caller sent for one of another API. */
export type ExchangeToken = () => Promise<string>;

/** Where the user's own token comes from. */
export type UpstreamTokenSource = UpstreamToken | ExchangeToken;

// Beside the AuthInfo, and not in it: what is in it may be logged, or sent to a backend.
const sources = shareValue('upstream tokens', () => new WeakMap<AuthInfo, UpstreamTokenSource>());

/** Keeps the user's own token for a caller, or the way to get it. */
export function attachUpstreamToken(auth: AuthInfo, source: UpstreamTokenSource | undefined): void {
  if (source !== undefined) sources.set(auth, source);
}

/** Returns the user's own token, or the way to get it. Undefined for a caller who has none. */
export function upstreamTokenOf(auth: AuthInfo): UpstreamTokenSource | undefined {
  return sources.get(auth);
}
