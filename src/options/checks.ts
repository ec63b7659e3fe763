import { types } from 'node:util';
import leven from 'leven';
import { ConfigError } from '../core/errors.js';
import { isRecord } from '../http/json-object.js';
import { adviceToLeaveOut, otherNameFor, otherValueFor, writeAs } from './other-names.js';

/** Checks the options of one function; every refusal names that function. */
export type OptionChecks = ReturnType<typeof createChecks>;

/**
 * Creates the checks for the options of one function. Each returns the checked value or throws a `ConfigError`.
 *
 * @param who The function that the developer called, for example `mcpAuth()`.
 * @param names Names of options for messages, if the user writes them differently, for example in a configuration file.
 */
export function createChecks(who: string, names: ReadonlyMap<string, string> = new Map()) {
  const written = (option: string) => option.replace(/^\w+/, (name) => names.get(name) ?? name);
  const refuse = (option: string, expected: string, given: unknown, fix: string): never => {
    throw new ConfigError({ who, option: written(option), expected, given, fix });
  };
  /** Refuses without quoting the value: it may be a secret, or contain one, as requests and loggers do. */
  const refuseUnquoted = (option: string, expected: string, fix: string): never => {
    throw new ConfigError({ who, option: written(option), expected, fix });
  };
  const integer = (value: unknown, option: string, min: number, fix: string): number =>
    Number.isSafeInteger(value) && (value as number) >= min
      ? (value as number)
      : refuse(option, `a whole number of at least ${min}`, value, fix);

  const record = (value: unknown, option: string, fix: string): Record<string, unknown> => {
    if (isPlain(value)) return value;
    // Its members may be secrets.
    return isRecord(value) ? refuseUnquoted(option, 'a plain object', fix) : refuse(option, 'an object', value, fix);
  };

  return {
    who,
    refuse,
    refuseUnquoted,
    integer,
    record,
    /** For an object with a secret among its members, which may have been given in its place: texts and lists are not quoted. */
    recordWithSecret: (value: unknown, option: string, fix: string): Record<string, unknown> => {
      const mayBeSecret = typeof value === 'string' || Array.isArray(value);
      return mayBeSecret ? refuseUnquoted(option, 'an object', fix) : record(value, option, fix);
    },
    string: (value: unknown, option: string, fix: string): string => {
      if (typeof value === 'string' && value !== '') return value;
      // Not quoted: its JSON looks like the string that is expected, and it may contain a password.
      if (isUrlObject(value)) return refuseUnquoted(option, 'a string, not a URL object', URL_AS_TEXT_FIX);
      return refuse(option, 'a non-empty string', value, fix);
    },
    /** Never quotes the value, so that the secret is not logged. */
    secret: (value: unknown, option: string, minLength: number, fix: string): string => {
      if (typeof value === 'string' && value.length >= minLength) return value;
      const expected = minLength === 1 ? 'a non-empty string' : `a string of at least ${minLength} characters`;
      return refuseUnquoted(option, expected, fix);
    },
    boolean: (value: unknown, option: string, fix: string): boolean =>
      typeof value === 'boolean' ? value : refuse(option, 'true or false', value, fix),
    strings: (value: unknown, option: string, fix: string): readonly string[] => {
      if (isStringList(value)) return Object.freeze([...value]);
      const pattern = regExpIn(value);
      return pattern === undefined
        ? refuse(option, 'an array of non-empty strings', value, fix)
        : refuse(option, 'an array of strings, without a regular expression', String(pattern), fix);
    },
    oneOf: <const T extends string>(value: unknown, option: string, words: readonly T[], fix: string): T =>
      words.includes(value as T)
        ? (value as T)
        : refuse(option, `one of ${words.map((word) => `"${word}"`).join(', ')}`, value, fixFor(value, words, fix)),
    knownKeys: (value: Readonly<Record<string, unknown>>, path: string, known: readonly string[]): void => {
      for (const key of Object.keys(value)) {
        if (!known.includes(key)) throw unknownOption(who, path === '' ? key : `${path}.${key}`, key, known);
      }
    },
  };
}

/**
 * True for a plain object. Not for a promise, a `Map` or an instance of a class: a copy of those would silently lose members, and with
 * them perhaps an allow-list.
 */
export function isPlain(value: unknown): value is Record<string, unknown> {
  if (!isRecord(value)) return false;
  const prototype = Object.getPrototypeOf(value) as object | null;
  // Not compared with this realm's Object.prototype: plain objects may come from another realm (vm, Jest).
  if (prototype === null) return true;
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf');
}

const URL_AS_TEXT_FIX =
  'Write the URL as text, byte for byte as in the tokens and for the clients: a URL object may add a closing slash.';

export function isUrlObject(value: unknown): boolean {
  // Not instanceof: under Jest, the value comes from another realm.
  return Object.prototype.toString.call(value) === '[object URL]';
}

function isStringList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string' && item !== '');
}

/** Returns a regular expression that was given instead of a string, alone or in a list. */
export function regExpIn(value: unknown): RegExp | undefined {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  // Not instanceof: under Jest, the value comes from another realm.
  return list.find((item) => types.isRegExp(item));
}

function fixFor(value: unknown, words: readonly string[], fix: string): string {
  const other = otherValueFor(value, words);
  return other === undefined ? fix : `Write "${other}".`;
}

/** Returns the name in `known` that `given` is probably a misspelling of. Undefined if none is similar. */
export function nearestName(
  given: string,
  known: readonly string[],
  maxDistance = Math.max(2, Math.floor(given.length / 3)),
): string | undefined {
  let nearest: string | undefined;
  let distance = maxDistance + 1;
  for (const name of known) {
    const d = leven(given.toLowerCase(), name.toLowerCase());
    if (d < distance) [nearest, distance] = [name, d];
  }
  return nearest;
}

function unknownOption(who: string, option: string, key: string, known: readonly string[]): ConfigError {
  const other = otherNameFor(key, known);
  if (other !== undefined) {
    return new ConfigError({ who, option, expected: `called "${other.option}"`, given: key, fix: writeAs(other) });
  }
  const needless = adviceToLeaveOut(key, known);
  if (needless !== undefined) return new ConfigError({ who, option, expected: 'left out', fix: needless });
  const near = nearestName(key, known);
  if (near !== undefined)
    return new ConfigError({ who, option, expected: 'a known option', given: key, fix: `Did you mean "${near}"?` });
  return new ConfigError({ who, option, expected: `one of ${known.join(', ')}`, given: key, fix: 'Remove it.' });
}
