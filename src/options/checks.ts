import leven from 'leven';
import { ConfigError } from '../core/errors.js';
import { isRecord } from '../http/json-object.js';

/** Checks the options of one function; every refusal names that function. */
export type OptionChecks = ReturnType<typeof createChecks>;

/**
 * Creates the checks for the options of one function. Each returns the checked value or throws a `ConfigError`.
 *
 * @param who The function that the developer called, for example `mcpAuth()`.
 */
export function createChecks(who: string) {
  const refuse = (option: string, expected: string, given: unknown, fix: string): never => {
    throw new ConfigError({ who, option, expected, given, fix });
  };
  /** Refuses without quoting the value: it may be a secret, or contain one, as requests and loggers do. */
  const refuseUnquoted = (option: string, expected: string, fix: string): never => {
    throw new ConfigError({ who, option, expected, fix });
  };
  const integer = (value: unknown, option: string, min: number, fix: string): number =>
    Number.isSafeInteger(value) && (value as number) >= min
      ? (value as number)
      : refuse(option, `a whole number of at least ${min}`, value, fix);

  return {
    who,
    refuse,
    refuseUnquoted,
    integer,
    record: (value: unknown, option: string, fix: string): Record<string, unknown> => {
      if (isPlain(value)) return value;
      // Its members may be secrets.
      return isRecord(value) ? refuseUnquoted(option, 'a plain object', fix) : refuse(option, 'an object', value, fix);
    },
    string: (value: unknown, option: string, fix: string): string =>
      typeof value === 'string' && value !== '' ? value : refuse(option, 'a non-empty string', value, fix),
    /** Never quotes the value, so that the secret is not logged. */
    secret: (value: unknown, option: string, minLength: number, fix: string): string => {
      if (typeof value === 'string' && value.length >= minLength) return value;
      return refuseUnquoted(option, `a string of at least ${minLength} characters`, fix);
    },
    boolean: (value: unknown, option: string, fix: string): boolean =>
      typeof value === 'boolean' ? value : refuse(option, 'true or false', value, fix),
    strings: (value: unknown, option: string, fix: string): readonly string[] =>
      isStringList(value) ? Object.freeze([...value]) : refuse(option, 'an array of non-empty strings', value, fix),
    oneOf: <const T extends string>(value: unknown, option: string, names: readonly T[], fix: string): T =>
      names.includes(value as T)
        ? (value as T)
        : refuse(option, `one of ${names.map((name) => `"${name}"`).join(', ')}`, value, fix),
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

function isStringList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string' && item !== '');
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
  const near = nearestName(key, known);
  if (near !== undefined)
    return new ConfigError({ who, option, expected: 'a known option', given: key, fix: `Did you mean "${near}"?` });
  return new ConfigError({ who, option, expected: `one of ${known.join(', ')}`, given: key, fix: 'Remove it.' });
}
