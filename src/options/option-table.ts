import type { OptionChecks } from './checks.js';
import { FLAG, type Member, numberFrom, oneOfWords, SECRET, SECRETS } from './value-type.js';

/** Checks one option and returns its resolved value. `option` is its path in error messages. */
export type OptionReader<Resolved> = (checks: OptionChecks, value: unknown, option: string) => Resolved;

/** The default and the check of one option. Its type in code and its TSDoc are in the options interface. */
export interface OptionRow<Given = unknown, Resolved = unknown> extends Pick<Member, 'type'> {
  /** The value that is read if the option is left out, as a user would write it. Without a default, `undefined` is read. */
  readonly default?: Given;
  readonly read: OptionReader<Resolved>;
}

/** One row for each option of `Options`. With `satisfies`, the compiler refuses a missing row, an extra row, and a default of the wrong type. */
export type OptionTable<Options> = { readonly [Name in keyof Options]-?: OptionRow<Options[Name]> };

/** The resolved values of a table. */
export type ResolvedOptions<Table extends Readonly<Record<string, OptionRow>>> = {
  readonly [Name in keyof Table]: ReturnType<Table[Name]['read']>;
};

/**
 * Reads every option of a table, in the table's order, and refuses unknown options.
 *
 * @param path The path of the option whose value is `given`; empty for the argument itself.
 * @throws {ConfigError}
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

/** Like {@link readOptions}, for a `given` that also has options of other tables: the caller must check the names. */
export function readRows<Table extends Readonly<Record<string, OptionRow>>>(
  checks: OptionChecks,
  table: Table,
  given: Readonly<Record<string, unknown>>,
  path = '',
): ResolvedOptions<Table> {
  const resolved = Object.entries(table).map(([name, row]) => {
    const value = given[name];
    const option = path === '' ? name : `${path}.${name}`;
    const read = row.read(checks, value === undefined ? row.default : value, option);
    if (value === undefined && Object.hasOwn(given, name)) refuseUndefinedSecret(checks, row, option);
    return [name, read];
  });
  return Object.freeze(Object.fromEntries(resolved));
}

/** In any other option, `undefined` means absent. A secret that is missing by mistake would weaken the server without an error. */
function refuseUndefinedSecret(checks: OptionChecks, { type }: OptionRow, option: string): void {
  if (type !== SECRET && type !== SECRETS) return;
  const fix = 'It is undefined: set the environment variable that it comes from.';
  checks.refuseUnquoted(option, 'a secret, or left out', fix);
}

/** Reads an option that may be left out and has no default. */
export function optional<Resolved>(read: OptionReader<Resolved>): OptionReader<Resolved | undefined> {
  return (checks, value, option) => (value === undefined ? undefined : read(checks, value, option));
}

/** Returns an option unchecked. The resolver checks it, since the check depends on other options. */
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

/** Reads one of the given words. */
export function oneOf<const Word extends string>(words: readonly Word[], fix: string): OptionReader<Word> {
  return (checks, value, option) => checks.oneOf(value, option, words, fix);
}

/** Reads an object that has its own option table. */
export function group<Table extends Readonly<Record<string, OptionRow>>>(
  table: Table,
  fix: string,
): OptionReader<ResolvedOptions<Table>> {
  return (checks, value, option) => readOptions(checks, table, checks.record(value, option, fix), option);
}

/** Creates the row of one of the given words. */
export function word<const Word extends string>(words: readonly Word[], fallback: NoInfer<Word>, fix: string) {
  return { default: fallback, type: oneOfWords(words), read: oneOf(words, fix) };
}

/** Creates the row of a whole number with this default and minimum. */
export function wholeNumber(fallback: number, min: number, fix = `Leave it out for ${fallback}.`) {
  const read: OptionReader<number> = (checks, value, option) => checks.integer(value, option, min, fix);
  return { default: fallback, type: numberFrom(min), read };
}

/** Creates the row of a whole number with this default, minimum and maximum. */
export function boundedNumber(fallback: number, { min, max }: Readonly<Record<'min' | 'max', number>>, fix: string) {
  const read: OptionReader<number> = (checks, value, option) => {
    const number = checks.integer(value, option, min, fix);
    return number <= max ? number : checks.refuse(option, `at most ${max}`, number, fix);
  };
  return { default: fallback, type: numberFrom(min, max), read };
}

/** Creates the row of a boolean with this default. */
export function flag(fallback: boolean, fix = `Leave it out for ${fallback}.`) {
  const read: OptionReader<boolean> = (checks, value, option) => checks.boolean(value, option, fix);
  return { default: fallback, type: FLAG, read };
}
