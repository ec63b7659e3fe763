import { lowerAscii } from '../http/lower-ascii.js';
import { resolveLogger } from '../options/logger-option.js';
import { flag, type OptionReader, optional, wholeNumber } from '../options/option-table.js';
import { requireResource } from '../policy/resolve-resource.js';

/** The row of a limit. */
export const limit = (fallback: number, least = 1) => wholeNumber(fallback, least, `The default is ${fallback}.`);

/** The options that every backend has, and reads in the same way. */
export const BACKEND_ROWS = {
  resource: { read: optional(requireResource) },
  allowedHosts: { read: optional(lowerCase('Name hosts such as "api.example.com".')) },
  allowedOrigins: { read: optional(lowerCase('Name origins such as "https://app.example.com", or "*" for all.')) },
  logger: { read: resolveLogger },
  maxAnonymousSessions: { read: optional(wholeNumber(0, 1, 'Leave it out for a quarter of maxSessions.').read) },
  warnWhenOpen: flag(true),
};

/** The share of anonymous callers, where the option `maxAnonymousSessions` does not say it. */
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
