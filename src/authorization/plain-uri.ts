const MAX_DECODINGS = 5;

/** A segment that file systems and URL parsers resolve: `..` and `.`, also with backslashes. */
const DOT_SEGMENT = /(?:^|[/\\])\.{1,2}(?:[/\\?#]|$)/;

/** The escape of a character that needs none (RFC 3986, section 2.3): letters, digits, `-`, `.`, `_` and `~`. */
const NEEDLESS_ESCAPE = /%(?:4[1-9a-f]|5[0-9af]|6[1-9a-f]|7[0-9ae]|3[0-9]|2[de])/i;

/**
 * True for a URI that has no other spelling (RFC 3986, section 6.2.2), as far as rules could be deceived: without dot segments, also
 * encoded ones, and without needless escapes. Expressions compare texts, so `file:///public/../secret` must not reach them.
 */
export function isPlainUri(uri: string): boolean {
  if (NEEDLESS_ESCAPE.test(uri)) return false;
  let text = uri;
  for (let i = 0; i < MAX_DECODINGS; i += 1) {
    if (DOT_SEGMENT.test(text)) return false;
    const decoded = text.replace(/%([2-7][\da-f])/gi, (_escape, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
    if (decoded === text) return true;
    text = decoded;
  }
  return false;
}
