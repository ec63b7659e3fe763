import { canParseUrl } from '../http/can-parse-url.js';
import { decodeEscapes, MAX_DECODINGS } from '../messages/canonical-names.js';
import { simplestUris } from './simplest-uris.js';

/** Returns the other spellings of a URI, which some servers may read in its place. Most URIs have none. */
export function otherSpellingsOf(uri: string): readonly string[] {
  const all = new Set<string>();
  let text = uri;
  for (let i = 0; i < MAX_DECODINGS; i += 1) {
    for (const variant of [text, asUrl(text)]) {
      for (const spelling of [variant, ...simplestUris(variant)]) all.add(spelling);
    }
    const decoded = decodeEscapes(text);
    if (decoded === text) break;
    text = decoded;
  }
  all.delete(uri);
  return [...all];
}

/** As the class `URL` writes it: servers of the MCP SDK look resources up so. */
function asUrl(text: string): string {
  return canParseUrl(text) ? new URL(text).href : text;
}

/** A character for private use, which no URI has. */
export const PLACEHOLDER = '\ue000';

/** Returns a URI of the same form that no server has: each character of a name is {@link PLACEHOLDER}. */
export function placeholderUri(uri: string): string {
  const [scheme = ''] = /^[a-z\d-][a-z\d+.-]*:/i.exec(uri) ?? [];
  return scheme + uri.slice(scheme.length).replace(/[^/\\:?#=&.]/g, PLACEHOLDER);
}

/** A scheme, and the user before the host. Some servers decode a URI before they look for its host. */
const USER = /^([a-z\d-][a-z\d+.-]*:[\\/]{2})([^/?#]*)(?:@|%(?:25)*40)/i;

/** Returns a URI without its user. */
export function withoutUser(uri: string): string {
  return uri.replace(USER, '$1');
}

/** Returns a URI in which the user and the host are one name. */
export function joinUser(uri: string): string {
  return uri.replace(USER, `$1$2${PLACEHOLDER}`);
}
