import { canParseUrl } from '../http/can-parse-url.js';

/** The schemes whose URLs have several spellings: capitals in the host, a default port, and slashes that are left out or doubled. */
const SPECIAL = /^(?:file|https?|wss?|ftp):/;

/** True for a URL with such a scheme, in lower case. */
export function isSpecialUrl(uri: string): boolean {
  return SPECIAL.test(uri);
}

/** A scheme, which may begin with the name of a target, `//` with a user, a host and a port, the path and the query (RFC 3986, appendix B). */
const PARTS = /^([a-z\d-][a-z\d+.-]*):(\/\/[^/?#]*)?([^?#]*)(\?[^#]*)?/is;

/**
 * Returns a URI without its fragment (a server that fetches the URI does not send it), with single slashes in the path, and with the host
 * alone, in lower case, as Python's `urlparse(uri).hostname` has it. With an empty path or host, it has two spellings: `note:///1` and
 * `note:/1` are the same to Python. Empty for a string that is not a URI.
 */
export function simplestUris(uri: string): readonly string[] {
  const [, scheme, authority = '', path = '', query = ''] = PARTS.exec(uri) ?? [];
  if (scheme === undefined) return [];
  const isParsed = isSpecialUrl(uri) && canParseUrl(uri);
  const named = authority.replace(/^\/\/.*@/s, '//').toLowerCase();
  // The port of a special URL names another server.
  const host = isParsed ? named : named.replace(/:[^:\]]*$/, '');
  const single = path.replace(/[\\/]+/g, '/');
  const end = query === '?' ? '' : query;
  return beginnings(host, single, isParsed).map((beginning) => `${scheme}:${beginning}${end}`);
}

/** The host with the path. */
function beginnings(host: string, path: string, isParsed: boolean): readonly string[] {
  const hasHost = host.length > '//'.length;
  if (hasHost && (path === '' || path === '/')) return [host, `${host}/`];
  return hasHost || isParsed || !path.startsWith('/') ? [host + path] : [path, `//${path}`];
}
