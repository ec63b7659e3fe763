/**
 * True if `new URL()` accepts a string.
 *
 * In place of `URL.canParse()`: once Node 20 has compiled that, it refuses a host with a character such as U+00AD, which `new URL()` removes.
 */
export function canParseUrl(text: string, base?: string | URL): boolean {
  try {
    new URL(text, base);
    return true;
  } catch {
    return false;
  }
}
