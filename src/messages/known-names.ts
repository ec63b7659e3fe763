import { TARGET_MEMBERS } from './mcp-call.js';

/** The names that have a meaning in one object of a message, by their folded spelling. */
export type KnownNames = ReadonlyMap<string, string>;

export const ENVELOPE_NAMES = namesByFold(['jsonrpc', 'id', 'method', 'params', 'result', 'error']);
export const PARAM_NAMES = namesByFold([...TARGET_MEMBERS, 'arguments', 'requestId', 'progressToken', '_meta']);
/** The members that name something in `completion/complete` and `subscriptions/listen`. */
export const REFERRING_NAMES = namesByFold([
  ...['ref', 'type', 'name', 'uri'],
  ...['notifications', 'resourceSubscriptions', 'taskIds'],
]);
export const RESULT_NAMES = namesByFold(['_meta']);
export const META_NAMES = namesByFold(['progressToken']);

function namesByFold(names: readonly string[]): KnownNames {
  return new Map(names.map((name) => [foldName(name), name]));
}

/**
 * Returns one spelling for all names that some parser treats as equal: Go matches `Name` with `name` and `paramſ` with `params`;
 * Java, ignoring case, finds `İd` equal to `id`.
 */
export function foldName(name: string): string {
  return name.toUpperCase().toLowerCase().replaceAll('i\u0307', 'i');
}

/** True if parsers may disagree on a name: it differs from a known one in capitals only, or {@link isReadDifferently}. */
export function isAmbiguousName(name: string, known: KnownNames): boolean {
  return isReadDifferently(name) || (known.get(foldName(name)) ?? name) !== name;
}

/**
 * True if parsers read a string differently: C programs end it at the first NUL, others drop control characters, and Go replaces half a
 * surrogate pair with U+FFFD.
 */
export function isReadDifferently(text: string): boolean {
  return /[\p{Cc}\p{Cs}]/u.test(text);
}
