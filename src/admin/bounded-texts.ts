/** Characters of a string in an event. Clients choose names and claims, which can be of any length. */
const MAX_TEXT = 300;
/** The end of a shortened string. */
const MARK = '…';

/** Returns a copy of a flat record with short strings. */
export function withShortTexts<T extends object>(record: T): T {
  const members = Object.entries(record).map(([name, value]) => [
    name,
    typeof value === 'string' ? shortText(value) : value,
  ]);
  return Object.fromEntries(members) as T;
}

/** True for a string that {@link withShortTexts} has shortened. */
export function isShortened(text: string): boolean {
  return text.length === MAX_TEXT + MARK.length && text.endsWith(MARK);
}

/** Returns the beginning of a long string. */
export function shortText(text: string): string {
  return text.length <= MAX_TEXT ? text : text.slice(0, MAX_TEXT) + MARK;
}
