import { isDeepStrictEqual } from 'node:util';
import type { AuthInfo } from '../core/auth-info.js';
import type { Middleware } from '../http/middleware.js';
import { createChecks, isPlain } from '../options/checks.js';
import type { McpAuthOptions } from './auth-options.js';
import { type ResolvedAuth, resolveAuth } from './resolve-auth.js';

/** The tokens that `revoke()` refuses. Give at least one of `subject`, `client` and `issuer`: a token must match all that are given. */
export interface RevokedTokens {
  /** As `AuthInfo.subject` has it. */
  readonly subject?: string | undefined;
  /** As `AuthInfo.clientId` has it. */
  readonly client?: string | undefined;
  /** The token's `iss`. */
  readonly issuer?: string | undefined;
  /** Tokens that were issued later (`iat`) are accepted. @default now */
  readonly before?: Date | undefined;
  /** Seconds until this is forgotten: give more than your tokens live. @default 7776000 */
  readonly keepSeconds?: number | undefined;
}

/** The middleware of `mcpAuth()`. `protectedResourceMetadata()` accepts it instead of the options. */
export interface McpAuth extends Middleware {
  /**
   * Refuses a token from now on; or the tokens of a user, a client or an issuer; or every token issued until now for which the function
   * returns true or throws. With a `store`, other processes apply it within a second, and it outlives a restart. A function applies in
   * this process only, until it restarts; it is called for every token that is verified.
   *
   * An opaque token or an API key is refused for good.
   *
   * @throws {TypeError} If `what` is not one of these: to ignore it would let the token in.
   * @throws {RangeError} If more than 100,000 users, clients and issuers are revoked, or more than 1,000,000 tokens.
   */
  revoke(what: string | RevokedTokens | ((auth: AuthInfo) => boolean)): void;
  /**
   * Resolves to true if the tokens of every issuer can be verified: its keys are known, or can be fetched now. For an application's own
   * health check. It never rejects.
   */
  ready(): Promise<boolean>;
}

/** The policies by options object, each with a copy of the options as they were read. */
const policiesByOptions = new WeakMap<object, { readonly policy: ResolvedAuth; readonly snapshot: unknown }>();
const policies = new WeakMap<McpAuth, ResolvedAuth>();

/**
 * Returns the policy of an options object. Each object is read once: all functions that get the same object share one policy.
 *
 * @param who The function that the developer called, for example `mcpAuth()`.
 * @throws {ConfigError} If an option is wrong, or the object has changed since it was read: the change would have no effect.
 */
export function resolvePolicy(who: string, options: Readonly<McpAuthOptions>): ResolvedAuth {
  const known = policiesByOptions.get(options);
  if (known === undefined) {
    const policy = resolveAuth(who, options);
    policiesByOptions.set(options, { policy, snapshot: snapshotOf(options) });
    return policy;
  }
  if (!isDeepStrictEqual(snapshotOf(options), known.snapshot)) {
    const expected = 'unchanged since another call read it: calls with the same object share one policy';
    createChecks(who).refuseUnquoted('options', expected, 'Give each policy its own object.');
  }
  return known.policy;
}

/** The same, but also accepts the middleware that `mcpAuth()` returned. */
export function policyOf(who: string, given: Readonly<McpAuthOptions> | McpAuth): ResolvedAuth {
  return policies.get(given as McpAuth) ?? resolvePolicy(who, given as McpAuthOptions);
}

/** Returns the policy of a middleware. Undefined if `mcpAuth()` of this copy of the package did not make it. */
export function findPolicy(auth: McpAuth): ResolvedAuth | undefined {
  return policies.get(auth);
}

/** Lets {@link policyOf} accept the middleware `auth` for its policy. */
export function rememberPolicy(auth: McpAuth, policy: ResolvedAuth): void {
  policies.set(auth, policy);
}

/** Logger and store are compared by identity: they may change themselves, for example by counting their calls. */
function snapshotOf({ logger, store, ...settings }: Readonly<McpAuthOptions>): unknown {
  return [logger, store, copyOf(settings)];
}

/** Options have fewer levels. The limit is for objects that contain themselves. */
const MAX_LEVELS = 8;

function copyOf(value: unknown, levels = MAX_LEVELS): unknown {
  if (levels === 0) return value;
  if (Array.isArray(value)) return value.map((item) => copyOf(item, levels - 1));
  if (!isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, copyOf(member, levels - 1)]));
}
