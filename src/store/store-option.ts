import type { OptionChecks } from '../options/checks.js';
import { optional } from '../options/option-table.js';
import type { Store } from './store.js';

/** An object and not a list, so that the compiler refuses it if a method is missing. */
const METHODS: Readonly<Record<keyof Store, true>> = { get: true, add: true, append: true, since: true, take: true };

const FIX =
  'Give createRedisStore(client) of "express-mcp-auth/redis", createMemoryStore(), or an object with these methods.';

/** Reads an option that is a {@link Store}; undefined if it is left out. */
export const readStore = optional((checks: OptionChecks, value: unknown, option: string): Store => {
  const given = (value ?? {}) as Readonly<Record<string, unknown>>;
  const missing = Object.keys(METHODS).find((name) => typeof given[name] !== 'function');
  if (missing === undefined) return value as Store;
  // Not quoted: it may contain a password.
  return checks.refuseUnquoted(
    option,
    `a store with the methods ${Object.keys(METHODS).join(', ')} ("${missing}" is missing)`,
    FIX,
  );
});
