/**
 * Returns the key (`keyOf`) of the integer whose decimal digits a text id is: some servers answer the request `0` under the id `"0"`, and
 * the clients of the SDKs take that for the answer. Undefined for any other key, and for a text that is not how JavaScript writes the number.
 */
export function numberInText(key: string | undefined): string | undefined {
  const digits = key?.startsWith('"') ? key.slice(1) : '';
  const number = Number(digits);
  return Number.isSafeInteger(number) && `${number}` === digits ? digits : undefined;
}

/**
 * Finds what the other side means by `key`, an id or progress token in its message: what has this very key among `pending`, or else the
 * number that the text is. A text that was sent as an id is never taken for a number, and no number for a text.
 */
export function meantAmong(pending: { has(key: string): boolean }, key: string | undefined): string | undefined {
  if (key === undefined || pending.has(key)) return key;
  const number = numberInText(key);
  return number !== undefined && pending.has(number) ? number : undefined;
}
