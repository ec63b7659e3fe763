import { isDeepStrictEqual } from 'node:util';
import type { AuthInfo } from '../core/auth-info.js';
import type { Middleware } from '../http/middleware.js';
import { createChecks, isPlain } from '../options/checks.js';
import type { McpAuthOptions } from './auth-options.js';
import { type ResolvedAuth, resolveAuth } from './resolve-auth.js';

/** The middleware that decides who may pass. `protectedResourceMetadata()` takes it in place of its options. */
export interface McpAuth extends Middleware {
  /**
   * Refuses a token from now on, or every token issued until now that `what` returns true for (one that throws counts
   * as true). Kept in this process: a restart forgets it, and other processes do not learn of it. A function is kept for good, and
   * called for every token that is verified.
   *
   * @throws {TypeError} Where `what` is neither a function nor a JWT: silence would let the token in.
   */
  revoke(what: string | ((auth: AuthInfo) => boolean)): void;
}

/** By options object, with what it said when the policy was resolved. */
const policiesByOptions = new WeakMap<object, { readonly policy: ResolvedAuth; readonly snapshot: unknown }>();
const policies = new WeakMap<McpAuth, ResolvedAuth>();

/**
 * The policy of an options object. Each object is read once: all functions that take the same object share one policy.
 *
 * @param who The function that the developer called, for example `mcpAuth()`.
 * @throws {ConfigError} Also where the object has changed since it was read: the change would have no effect.
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
    createChecks(who).refuseUnquoted('options', expected, 'Give each policy an object of its own.');
  }
  return known.policy;
}

/** The same, where the policy may also be given as what `mcpAuth()` returned. */
export function policyOf(who: string, given: Readonly<McpAuthOptions> | McpAuth): ResolvedAuth {
  return policies.get(given as McpAuth) ?? resolvePolicy(who, given as McpAuthOptions);
}

/** Makes `auth` stand for its policy: see {@link policyOf}. */
export function rememberPolicy(auth: McpAuth, policy: ResolvedAuth): void {
  policies.set(auth, policy);
}

/** A logger is compared by identity: one that counts its lines has not become another. */
function snapshotOf({ logger, ...settings }: Readonly<McpAuthOptions>): unknown {
  return [logger, copyOf(settings)];
}

/** Options have fewer levels. A limit is needed since an object may contain itself. */
const MAX_LEVELS = 8;

function copyOf(value: unknown, levels = MAX_LEVELS): unknown {
  if (levels === 0) return value;
  if (Array.isArray(value)) return value.map((item) => copyOf(item, levels - 1));
  if (!isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, copyOf(member, levels - 1)]));
}
