/**
 * Lowercases A to Z only, as protocols compare names. `toLowerCase()` also turns some characters beyond ASCII into ASCII: the Kelvin
 * sign becomes a `k`.
 */
export function lowerAscii(text: string): string {
  // Most strings are lower case already.
  if (!hasCapital(text)) return text;
  // Most others are ASCII only, and the native method is faster.
  return /^[\x20-\x7e]*$/.test(text) ? text.toLowerCase() : text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

const A = 0x41;
const Z = 0x5a;

function hasCapital(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= A && code <= Z) return true;
  }
  return false;
}
