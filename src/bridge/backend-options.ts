import { MAX_TIMER_SECONDS } from '../core/max-timer.js';
import { lowerAscii } from '../http/lower-ascii.js';
import { resolveLogger } from '../options/logger-option.js';
import { boundedNumber, flag, type OptionReader, optional, wholeNumber } from '../options/option-table.js';
import { numberFrom, TEXT, TEXTS } from '../options/value-type.js';
import { requireResource } from '../policy/resolve-resource.js';
import type { CallOptions } from '../telemetry/call-record.js';
import { CALL_ROWS } from '../telemetry/call-rows.js';

/** The options of every backend that the backends describe in the same words. */
export interface BackendOptions extends CallOptions {
  /** The URL that clients use (RFC 8707), if no `mcpAuth()` in front names it. Its host is an allowed Host on loopback listeners. */
  readonly resource?: string | undefined;
  /**
   * The allowed Host headers, as `name` or `name:port`. If given, every connection is checked; if not, only connections
   * to a loopback address, where `localhost`, `127.0.0.1`, `[::1]` and the host of `resource` are allowed.
   * @default loopback and the host of `resource`, on loopback listeners
   */
  readonly allowedHosts?: readonly string[] | undefined;
  /**
   * The allowed Origin headers, as `https://name` or `https://name:port`. If given, every connection is checked; if not, only
   * requests with a loopback Host, where loopback origins and that of `resource` are allowed. `'*'` allows every origin, which is
   * safe only if every request needs a token.
   * @default loopback and the origin of `resource`, on loopback listeners
   */
  readonly allowedOrigins?: readonly string[] | undefined;
  /**
   * The largest number of open sessions of anonymous callers behind an `mcpAuth()` that accepts them; more get 503. Without
   * an `mcpAuth()` in front, they may open all of `maxSessions`. @default a quarter of `maxSessions`
   */
  readonly maxAnonymousSessions?: number | undefined;
  /**
   * `true` warns once when a request arrives at an address that other machines can reach without an `mcpAuth()` in front; if
   * `mcpHttpBackend()` sends credentials of this server, at any address. Use `false` if something else authenticates callers.
   * @default true
   */
  readonly warnWhenOpen?: boolean | undefined;
}

/** Creates the row of a limit. */
export const limit = (fallback: number, min = 1) => wholeNumber(fallback, min, `The default is ${fallback}.`);

/** Creates the row of a time that a timer measures, in seconds. */
export const timerSeconds = (fallback: number, min = 1) =>
  boundedNumber(fallback, { min, max: MAX_TIMER_SECONDS }, `The default is ${fallback}.`);

/** The rows of {@link BackendOptions}, and of `logger`. */
export const BACKEND_ROWS = {
  resource: { type: TEXT, read: optional(requireResource) },
  allowedHosts: { type: TEXTS, read: optional(lowerCase('Name hosts such as "api.example.com".')) },
  allowedOrigins: {
    type: TEXTS,
    read: optional(lowerCase('Name origins such as "https://app.example.com", or "*" for all.')),
  },
  logger: { read: resolveLogger },
  maxAnonymousSessions: {
    type: numberFrom(1),
    read: optional(wholeNumber(0, 1, 'Leave it out for a quarter of maxSessions.').read),
  },
  warnWhenOpen: flag(true),
  ...CALL_ROWS,
};

/** Returns the default of `maxAnonymousSessions`. */
export function anonymousShare(maxSessions: number): number {
  return Math.ceil(maxSessions / 4);
}

function lowerCase(fix: string): OptionReader<readonly string[]> {
  return (checks, value, option) => {
    const names = checks.strings(value, option, fix);
    if (names.length === 0)
      checks.refuse(
        option,
        'a list with at least one entry',
        value,
        `${fix} An empty list would refuse every request.`,
      );
    return names.map(lowerAscii);
  };
}
