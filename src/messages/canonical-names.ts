import { canParseUrl } from '../http/can-parse-url.js';

/**
 * Returns the spelling in which names are compared with rules: lower case, without Unicode compatibility forms and outer spaces.
 * Servers may ignore such differences, as Go's JSON and many file systems do, so names that differ in nothing else share their rules.
 */
export function canonicalName(text: string): string {
  // Upper case before lower case: `ſ` becomes `S` only in upper case, the Kelvin sign becomes `k` only in lower case.
  const folded = /^[\x20-\x7e]*$/.test(text) ? text : text.normalize('NFKC').toUpperCase();
  return folded.toLowerCase().trim();
}

/** Like {@link canonicalName}, with single forward slashes: to a file system, `file:////a\b` is `file:///a/b`. */
export const canonicalUri = (text: string): string => foldSlashes(canonicalName(text));

function foldSlashes(text: string): string {
  return text.replace(/[\\/]+/g, '/');
}

/** A URI that is encoded as often is refused: only an attack needs that. */
export const MAX_DECODINGS = 5;

/**
 * Returns every spelling under which a server may look for a resource: as written, normalised (RFC 3986, section 6.2.2), decoded,
 * and without query and fragment. Undefined for a URI that is encoded {@link MAX_DECODINGS} times or more.
 */
export function canonicalUris(uri: string): readonly string[] | undefined {
  const spellings = spellingsOfUri(uri);
  // The URI of one of several targets (`github+file:///a`, `svc.ns+file:///a`) has the spellings that the target itself may use.
  const [, target = '', rest] = /^([a-z0-9.-]+\+)(.+)$/s.exec(uri) ?? [];
  if (spellings === undefined || rest === undefined) return spellings;
  const inner = spellingsOfUri(rest);
  return inner && [...new Set([...spellings, ...inner.map((spelling) => target + spelling)])];
}

function spellingsOfUri(uri: string): readonly string[] | undefined {
  const spellings = new Set<string>();
  let text = uri;
  for (let i = 0; i < MAX_DECODINGS; i += 1) {
    for (const variant of [text, ...(canParseUrl(text) ? [new URL(text).href] : [])]) {
      for (const form of [variant, variant.replace(/[?#].*$/s, '')]) {
        for (const spelling of spellingsOfPath(canonicalName(form))) spellings.add(foldSlashes(spelling));
      }
    }
    const decoded = decodeEscapes(text);
    if (decoded === text) return [...spellings];
    text = decoded;
  }
  return undefined;
}

/** A scheme, a host with its slashes, and the path with what follows. */
const PARTS = /^([a-z][a-z\d+.-]*:)?([\\/]{2}[^\\/?#]*)?(.*)$/su;

/**
 * The text itself, and with dot segments resolved as file systems do it (`x//..` is `x/..`): with the host, as if the host were a
 * directory, and for a `file:` URI also without the host.
 */
function spellingsOfPath(text: string): readonly string[] {
  const [, scheme = '', host = '', path = ''] = PARTS.exec(text) ?? [];
  const resolved = resolveDots(path);
  const spellings = [text, scheme + host + resolved];
  if (host !== '') spellings.push(scheme + resolveDots(host + path));
  if (scheme === 'file:') spellings.push(scheme + path, scheme + resolved);
  return spellings;
}

function resolveDots(path: string): string {
  const folded = foldSlashes(path);
  if (!/(?:^|\/)\.\.?(?:\/|$)/.test(withoutBlanks(folded))) return folded;
  const isAbsolute = folded.startsWith('/');
  const segments: string[] = [];
  for (const segment of folded.split('/')) {
    const dots = withoutBlanks(segment);
    if (dots === '..') segments.pop();
    else if (dots !== '.' && segment !== '') segments.push(segment);
  }
  const isDirectory = /\/\.{0,2}$/.test(folded);
  return (isAbsolute ? '/' : '') + segments.join('/') + (isDirectory && segments.length > 0 ? '/' : '');
}

/** Without control characters and spaces, which a server may remove before it looks for dot segments. */
function withoutBlanks(text: string): string {
  return text.replace(/[\0-\x20]+/g, '');
}

/** Decodes the escapes of UTF-8 characters, or those of ASCII characters if others are broken. */
export function decodeEscapes(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // The text is not valid UTF-8 as a whole. One broken escape must not hide the others.
    return decodeAsciiEscapes(text);
  }
}

/** Decodes the escapes of printable ASCII characters, and leaves all others. */
export function decodeAsciiEscapes(text: string): string {
  return text.replace(/%([2-7][\da-f])/gi, (_escape, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
