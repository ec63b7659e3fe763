import type { OptionChecks } from '../options/checks.js';
import { optional } from '../options/option-table.js';
import type { Store } from './store.js';

/** The methods, and if a store must have them. An object and not a list, so that the compiler refuses it if a method is missing. */
const METHODS: Readonly<Record<keyof Store, boolean>> = {
  get: true,
  add: true,
  append: true,
  since: true,
  take: true,
  raise: false,
};

const REQUIRED = Object.keys(METHODS).filter((name) => METHODS[name as keyof Store]);

const FIX =
  'Give createRedisStore(client) of "express-mcp-auth/redis", createMemoryStore(), or an object with these methods.';

/** Reads an option that is a {@link Store}; undefined if it is left out. */
export const readStore = optional((checks: OptionChecks, value: unknown, option: string): Store => {
  const given = (value ?? {}) as Readonly<Record<string, unknown>>;
  const missing = REQUIRED.find((name) => typeof given[name] !== 'function');
  if (missing === undefined) {
    if (given.raise === undefined || typeof given.raise === 'function') return value as Store;
    return checks.refuseUnquoted(`${option}.raise`, 'a function, or left out', FIX);
  }
  // Not quoted: it may contain a password.
  return checks.refuseUnquoted(
    option,
    `a store with the methods ${REQUIRED.join(', ')} ("${missing}" is missing)`,
    FIX,
  );
});
