/**
 * A name in the one spelling that rules are compared in: without capitals, compatibility forms and outer spaces. Servers that read
 * the name later may ignore them, as Go's JSON and many file systems do. Two names that differ in nothing else are under the rules of both.
 */
export function canonicalName(text: string): string {
  // `ſ` and the Kelvin sign become `s` and `k` in one direction only.
  const folded = /^[\x20-\x7e]*$/.test(text) ? text : text.normalize('NFKC').toUpperCase();
  return folded.toLowerCase().trim();
}

/** As a name, and without doubled or turned slashes: to a file system, `file:////a\b` is `file:///a/b`. */
export const canonicalUri = (text: string): string => foldSlashes(canonicalName(text));

function foldSlashes(text: string): string {
  return text.replace(/[\\/]+/g, '/');
}

const MAX_DECODINGS = 5;

/**
 * Every spelling under which a server may come to look for a resource: as written, normalised (RFC 3986, section 6.2.2),
 * decoded, without query and fragment. Undefined where a URI is encoded over and over, which serves nothing but to get
 * past someone.
 */
export function canonicalUris(uri: string): readonly string[] | undefined {
  const spellings = new Set<string>();
  let text = uri;
  for (let i = 0; i < MAX_DECODINGS; i += 1) {
    for (const variant of [text, ...(URL.canParse(text) ? [new URL(text).href] : [])]) {
      for (const form of [variant, variant.replace(/[?#].*$/s, '')]) {
        for (const spelling of spellingsOfPath(canonicalName(form))) spellings.add(foldSlashes(spelling));
      }
    }
    const decoded = decode(text);
    if (decoded === text) return [...spellings];
    text = decoded;
  }
  return undefined;
}

/** A scheme, a host with its slashes, and the path with what follows. */
const PARTS = /^([a-z][a-z\d+.-]*:)?([\\/]{2}[^\\/?#]*)?(.*)$/su;

/**
 * As it is, and with dot segments resolved as file systems do it, to which `x//..` is `x/..`; once with the host, once as
 * if the host were a directory, and for a file also without a host.
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
  if (!/(?:^|\/)\.\.?(?:\/|$)/.test(folded)) return folded;
  const isAbsolute = folded.startsWith('/');
  const segments: string[] = [];
  for (const segment of folded.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '.' && segment !== '') segments.push(segment);
  }
  const isDirectory = /\/\.{0,2}$/.test(folded);
  return (isAbsolute ? '/' : '') + segments.join('/') + (isDirectory && segments.length > 0 ? '/' : '');
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Not UTF-8 as a whole: one broken escape must not hide the others.
    return text.replace(/%([2-7][\da-f])/gi, (_escape, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  }
}
