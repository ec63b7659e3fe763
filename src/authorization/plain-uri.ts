import { canParseUrl } from '../http/can-parse-url.js';
import { decodeAsciiEscapes, MAX_DECODINGS } from '../messages/canonical-names.js';
import { isSpecialUrl } from './simplest-uris.js';

/** A segment that file systems and URL parsers resolve: `..` and `.`, with slashes or backslashes. */
const DOT_SEGMENT = /(?:^|[/\\])\.{1,2}(?:[/\\?#]|$)/;

/** Characters, including encoded ones, that a server may remove before it looks for dot segments. */
const REMOVABLE = /[\0-\x20]|%[01][\da-f]/gi;

/** The escape of a character that needs none (RFC 3986, section 2.3): letters, digits, `-`, `.`, `_` and `~`. */
const NEEDLESS_ESCAPE = /%(?:4[1-9a-f]|5[0-9af]|6[1-9a-f]|7[0-9ae]|3[0-9]|2[de])/i;

/**
 * True for a URI that has no other spelling (RFC 3986, section 6.2.2), as far as rules could be deceived: in lower case where capitals do
 * not matter, without dot segments, even encoded ones, and without characters and escapes that parsers remove. Expressions compare strings,
 * so neither `FILE:///secret` nor `file:///public/../secret` must reach them. What remains is for `otherSpellingsOf()`.
 */
export function isPlainUri(uri: string): boolean {
  if (NEEDLESS_ESCAPE.test(uri) || !hasPlainHead(uri)) return false;
  let text = uri;
  for (let i = 0; i < MAX_DECODINGS; i += 1) {
    if (DOT_SEGMENT.test(text.replace(REMOVABLE, ''))) return false;
    const decoded = decodeAsciiEscapes(text);
    if (decoded === text) return true;
    text = decoded;
  }
  return false;
}

/** A capital in the scheme; characters at the ends and within that URL parsers remove; and an empty query or fragment. */
const NEEDLESS = /^[a-z\d+.-]*[A-Z][A-Za-z\d+.-]*:|^[\0-\x20]|[\0-\x20]$|[\t\n\r]|^[a-z][a-z\d+.-]*:.*(?:[?#]$|\?#)/s;

/**
 * True if the scheme and the host are written as a URL parser writes them, and the path without backslashes. A file's name ends where a
 * query or a fragment begins.
 */
function hasPlainHead(uri: string): boolean {
  if (NEEDLESS.test(uri)) return false;
  if (!isSpecialUrl(uri)) return true;
  // Other parsers than `URL` find a path in `file://a:1/secret`.
  if (!canParseUrl(uri)) return !uri.startsWith('file:');
  const { protocol, host } = new URL(uri);
  const head = `${protocol}//${host}`;
  if (!uri.startsWith(head)) return false;
  const rest = uri.slice(head.length);
  return protocol === 'file:' ? /^\/(?!\/)(?!.*\/\/)[^?#\\]*$/s.test(rest) : /^(?:\/[^?#\\]*)?(?:[?#]|$)/.test(rest);
}
