import {
  group,
  type OptionReader,
  type OptionTable,
  type ResolvedOptions,
  wholeNumber,
} from '../options/option-table.js';
import { constant, either, membersOf } from '../options/value-type.js';
import type { TokenCacheOptions } from './auth-options.js';

const FIX = 'Give { maxAgeSeconds, maxEntries, maxBytes }, or false to verify every request again.';

export const TOKEN_CACHE_TABLE = {
  maxAgeSeconds: wholeNumber(300, 1, FIX),
  maxEntries: wholeNumber(10_000, 1, FIX),
  maxBytes: wholeNumber(67_108_864, 1, FIX),
} satisfies OptionTable<TokenCacheOptions>;

const read: OptionReader<ResolvedOptions<typeof TOKEN_CACHE_TABLE> | undefined> = (checks, value, option) =>
  value === false ? undefined : group(TOKEN_CACHE_TABLE, FIX)(checks, value, option);

/** The row of the option `tokenCache`. Its value is undefined for `false`. */
export const TOKEN_CACHE_ROW = {
  default: {},
  type: either(membersOf('tokenCache', TOKEN_CACHE_TABLE), constant(false)),
  read,
};
