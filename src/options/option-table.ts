import type { OptionChecks } from './checks.js';

/** Checks one option, called `option` in refusals, and returns its resolved value. */
export type OptionReader<Resolved> = (checks: OptionChecks, value: unknown, option: string) => Resolved;

/** One option, beside its type and TSDoc. */
export interface OptionRow<Given = unknown, Resolved = unknown> {
  /** As a user would write it. It is read in place of an option that is left out; without it, `undefined` is read. */
  readonly default?: Given;
  readonly read: OptionReader<Resolved>;
}

/** A row for each option of `Options`. With `satisfies`, the compiler refuses one too many, one too few, and a default of another type. */
export type OptionTable<Options> = { readonly [Name in keyof Options]-?: OptionRow<Options[Name]> };

/** The resolved values of a table. */
export type ResolvedOptions<Table extends Readonly<Record<string, OptionRow>>> = {
  readonly [Name in keyof Table]: ReturnType<Table[Name]['read']>;
};

/**
 * Reads every option of a table, in its order, and refuses unknown ones.
 *
 * @param path The option that `given` is the value of; empty for the argument itself.
 */
export function readOptions<Table extends Readonly<Record<string, OptionRow>>>(
  checks: OptionChecks,
  table: Table,
  given: Readonly<Record<string, unknown>>,
  path = '',
): ResolvedOptions<Table> {
  checks.knownKeys(given, path, Object.keys(table));
  return readRows(checks, table, given, path);
}

/** As {@link readOptions}, where `given` has options of other tables too: the caller checks the names. */
export function readRows<Table extends Readonly<Record<string, OptionRow>>>(
  checks: OptionChecks,
  table: Table,
  given: Readonly<Record<string, unknown>>,
  path = '',
): ResolvedOptions<Table> {
  const resolved = Object.entries(table).map(([name, row]) => {
    const value = given[name];
    return [name, row.read(checks, value === undefined ? row.default : value, path === '' ? name : `${path}.${name}`)];
  });
  return Object.freeze(Object.fromEntries(resolved));
}

/** Reads an option that may be left out and has no default. */
export function optional<Resolved>(read: OptionReader<Resolved>): OptionReader<Resolved | undefined> {
  return (checks, value, option) => (value === undefined ? undefined : read(checks, value, option));
}

/** Reads an option whose check depends on other options: the resolver checks it. */
export const asGiven: OptionReader<unknown> = (_checks, value) => value;

/** Reads a non-empty string. */
export function text(fix: string): OptionReader<string> {
  return (checks, value, option) => checks.string(value, option, fix);
}

/** Reads a function. */
export function callback<Callback>(fix: string): OptionReader<Callback> {
  return (checks, value, option) =>
    typeof value === 'function' ? (value as Callback) : checks.refuse(option, 'a function', value, fix);
}

/** Reads one of a few words. */
export function oneOf<const Word extends string>(words: readonly Word[], fix: string): OptionReader<Word> {
  return (checks, value, option) => checks.oneOf(value, option, words, fix);
}

/** Reads an object with options of its own. */
export function group<Table extends Readonly<Record<string, OptionRow>>>(
  table: Table,
  fix: string,
): OptionReader<ResolvedOptions<Table>> {
  return (checks, value, option) => readOptions(checks, table, checks.record(value, option, fix), option);
}

/** The row of a whole number. */
export function wholeNumber(fallback: number, least: number, fix = `Leave it out for ${fallback}.`) {
  const read: OptionReader<number> = (checks, value, option) => checks.integer(value, option, least, fix);
  return { default: fallback, read };
}

/** The row of a switch. */
export function flag(fallback: boolean, fix = `Leave it out for ${fallback}.`) {
  const read: OptionReader<boolean> = (checks, value, option) => checks.boolean(value, option, fix);
  return { default: fallback, read };
}
