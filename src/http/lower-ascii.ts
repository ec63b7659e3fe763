/**
 * The text with A to Z in lower case, as protocols compare names. `toLowerCase()` also turns characters beyond ASCII into ASCII: the
 * Kelvin sign becomes a `k`.
 */
export function lowerAscii(text: string): string {
  // ASCII as a whole is the usual case, and native code is quicker.
  return /^[\x20-\x7e]*$/.test(text) ? text.toLowerCase() : text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
