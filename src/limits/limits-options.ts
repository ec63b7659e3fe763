import type { IncomingMessage } from 'node:http';
import type { AuthInfo } from '../core/auth-info.js';
import type { Logger } from '../core/logger.js';
import { isRecord } from '../http/json-object.js';
import type { McpCall } from '../messages/mcp-call.js';
import { requireArgument } from '../options/argument.js';
import { createChecks, type OptionChecks } from '../options/checks.js';
import { resolveLogger } from '../options/logger-option.js';
import { type OptionTable, type ResolvedOptions, readOptions, wholeNumber } from '../options/option-table.js';
import type { Store } from '../store/store.js';
import { readStore } from '../store/store-option.js';
import { DURATION_FORM, parseDuration } from './duration.js';

/**
 * Names the bucket from which a call takes: calls with the same name share one. Undefined: the limit does not apply to this call.
 * `auth` is undefined for an anonymous caller, whose buckets are never those of known callers. `call` is undefined for a request
 * without one, such as GET. It must be synchronous. An error that it throws goes to `next(error)`.
 */
export type LimitFunction = (
  auth: AuthInfo | undefined,
  call: McpCall | undefined,
  req: IncomingMessage,
) => string | undefined;

/** A limit: buckets of tokens, from which each call takes one. */
export interface Limit {
  /**
   * Says what gets a bucket of its own. `user`: each user. `client`: each client, for all its users together. `key`: each API key; a caller
   * without one counts as a user. For these three, an anonymous caller counts by address. `tool`: each tool, for all callers together; other
   * methods are not limited. Or a function.
   */
  readonly per: 'user' | 'client' | 'key' | 'tool' | LimitFunction;
  /** The most calls at once: a bucket starts with this many tokens. */
  readonly tokens: number;
  /** The tokens that a bucket gets back each time `every` has passed. At most `tokens`. */
  readonly refill: number;
  /** The time from one refill to the next: `'30s'`, `'1m'`, `'1h'`, `'1d'`. */
  readonly every: string;
}

/** The options of `mcpLimits()`. */
export interface McpLimitsOptions {
  /**
   * Counts the calls of all replicas together. Limits that are alike, in several `mcpLimits()` with one store, share their buckets. See
   * docs/store.md.
   *
   * @default none: each `mcpLimits()` counts for itself
   */
  readonly store?: Store | undefined;
  /** Bytes. A longer body is answered 413. @default 4194304 */
  readonly maxBodyBytes?: number | undefined;
  /** Receives a line, at most one a minute for each limit, when calls are refused, and when the store cannot be used. @default no logging */
  readonly logger?: Logger | undefined;
}

const PER_FIX = 'Or give a function that names the bucket of a call.';
const WORDS = ['user', 'client', 'key', 'tool'] as const;
const TOKENS_FIX = 'Give the most calls at once.';

export const LIMIT_TABLE = {
  per: {
    read: (checks, value, option) =>
      typeof value === 'function' ? (value as LimitFunction) : checks.oneOf(value, option, WORDS, PER_FIX),
  },
  tokens: { read: (checks, value, option) => checks.integer(value, option, 1, TOKENS_FIX) },
  refill: {
    read: (checks, value, option) => checks.integer(value, option, 1, 'Give the calls that come back each time.'),
  },
  every: {
    read: (checks, value, option) =>
      parseDuration(value) ?? checks.refuse(option, DURATION_FORM, value, 'Give the time from one refill to the next.'),
  },
} satisfies OptionTable<Limit>;

export const LIMITS_TABLE = {
  store: { read: readStore },
  maxBodyBytes: wholeNumber(4_194_304, 1),
  logger: { read: resolveLogger },
} satisfies OptionTable<McpLimitsOptions>;

/** A checked limit. */
export interface ResolvedLimit {
  readonly per: Limit['per'];
  readonly capacity: number;
  readonly refill: number;
  readonly everyMs: number;
}

export interface ResolvedLimits extends ResolvedOptions<typeof LIMITS_TABLE> {
  readonly limits: readonly ResolvedLimit[];
}

const EXAMPLE = "[{ per: 'user', tokens: 60, refill: 60, every: '1m' }]";

/** @throws {ConfigError} */
export function resolveLimits(givenLimits: unknown, options: unknown): ResolvedLimits {
  const checks = createChecks('mcpLimits()');
  // Limits first: in `app.use(mcpLimits)` they are the request, and the options are the response.
  const limits = requireLimits(checks, givenLimits);
  const given = requireArgument(checks, options, { example: `${EXAMPLE}, { store }` });
  return Object.freeze({ limits, ...readOptions(checks, LIMITS_TABLE, given) });
}

function requireLimits(checks: OptionChecks, given: unknown): readonly ResolvedLimit[] {
  // A request is refused with the advice to write the call.
  if (isRecord(given)) requireArgument(checks, given, { name: 'limits', example: EXAMPLE });
  if (!Array.isArray(given) || given.length === 0)
    return checks.refuse('limits', 'a non-empty array', given, `Write ${EXAMPLE}.`);
  const limits = given.map((limit: unknown, i) => resolveLimit(checks, limit, `limits[${i}]`));
  for (const [i, limit] of limits.entries()) {
    const first = limits.findIndex((other) => areAlike(limit, other));
    if (first === i) continue;
    const expected = `different from limits[${first}], which has the same per and the same numbers`;
    checks.refuseUnquoted(`limits[${i}]`, expected, 'Remove one of them.');
  }
  return Object.freeze(limits);
}

function resolveLimit(checks: OptionChecks, given: unknown, path: string): ResolvedLimit {
  const limit = checks.record(given, path, `Write ${EXAMPLE}.`);
  const { per, tokens, refill, every } = readOptions(checks, LIMIT_TABLE, limit, path);
  // A bucket loses tokens above its capacity, so such a limit would be slower than it says.
  if (refill > tokens)
    checks.refuse(
      `${path}.refill`,
      `at most tokens (${tokens})`,
      refill,
      'Give a smaller refill and a shorter every, or more tokens.',
    );
  return Object.freeze({ per, capacity: tokens, refill, everyMs: every });
}

/** True if two limits would have the same buckets. */
function areAlike(limit: ResolvedLimit, other: ResolvedLimit): boolean {
  const isSameRate =
    limit.capacity === other.capacity && limit.refill === other.refill && limit.everyMs === other.everyMs;
  return limit.per === other.per && isSameRate;
}
