import { TARGET_MEMBERS } from './mcp-call.js';

/** The names that mean something in one object of a message, each by its folded spelling. */
export type KnownNames = ReadonlyMap<string, string>;

export const ENVELOPE_NAMES = namesByFold(['jsonrpc', 'id', 'method', 'params', 'result', 'error']);
export const PARAM_NAMES = namesByFold([...TARGET_MEMBERS, 'arguments', 'requestId', 'progressToken', '_meta']);
export const RESULT_NAMES = namesByFold(['_meta']);
export const META_NAMES = namesByFold(['progressToken']);

function namesByFold(names: readonly string[]): KnownNames {
  return new Map(names.map((name) => [foldName(name), name]));
}

/**
 * One spelling for all names that some parser takes for the same: Go's takes `Name`, and `paramſ`, which has no S in lower case;
 * Java compares `İd` with `id` and finds them equal.
 */
export function foldName(name: string): string {
  return name.toUpperCase().toLowerCase().replaceAll('i\u0307', 'i');
}

/** True if some parsers read a name as another one: in other capitals than the protocol gives it, or up to its first NUL. */
export function isAmbiguousName(name: string, known: KnownNames): boolean {
  return isReadDifferently(name) || (known.get(foldName(name)) ?? name) !== name;
}

/**
 * True if parsers make different texts of a text: those in C end it at its first NUL, others drop what cannot be printed, and of half
 * a surrogate pair, which is no character, Go makes U+FFFD.
 */
export function isReadDifferently(text: string): boolean {
  return /[\p{Cc}\p{Cs}]/u.test(text);
}
