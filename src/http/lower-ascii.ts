/**
 * Lowercases A to Z only, as protocols compare names. `toLowerCase()` also turns some characters beyond ASCII into ASCII: the Kelvin
 * sign becomes a `k`.
 */
export function lowerAscii(text: string): string {
  // Most texts are ASCII only, and the native method is faster.
  return /^[\x20-\x7e]*$/.test(text) ? text.toLowerCase() : text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
