import type { IncomingMessage } from 'node:http';
import { AuthError } from '../core/errors.js';
import { lowerAscii } from '../http/lower-ascii.js';
import { trimOws } from '../http/ows.js';
import { repeatedHeader } from '../http/repeated-header.js';
import { rawQuery } from '../http/request-target.js';

/** How a token may be presented: RFC 6750 and RFC 9449. */
export type Scheme = 'bearer' | 'dpop';

/** Whatever a lenient parser would take for one of these schemes: what follows is no further letter of the name. */
const SCHEME = /^(bearer|dpop)(?![\w!#$%&'*+.^`|~-])/i;
/** The same behind whatever a reader may trim or split off: a blank beyond ASCII, a quote, another credential and a comma. */
const SCHEME_ANYWHERE = /(?<![\w!#$%&'*+.^`|~-])(?:bearer|dpop)(?![\w!#$%&'*+.^`|~-])/i;
/** RFC 6750, section 2.1, and RFC 9449, section 7.1: `token68`. */
const TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;

/**
 * Reads the access token from the `Authorization` header, the only place it is taken from (RFC 6750, section 2.1).
 * Does not check the form of the token itself: its verification does, once.
 *
 * @param scheme That of the header, as {@link schemeOf} has it.
 * @throws {AuthError} `missing_token`, `malformed_header`, `several_tokens`.
 */
export function readToken(header: string, scheme: Scheme | undefined, target: string): string {
  if (scheme === undefined) throw new AuthError('missing_token');
  if (header[scheme.length] !== ' ') throw new AuthError('malformed_header');
  // RFC 6750, section 2: one request, one method. A proxy in front may have judged the other one.
  if (hasQueryToken(target)) throw new AuthError('several_tokens');
  return trimOws(header.slice(scheme.length + 1));
}

/** @throws {AuthError} `token_too_long`, `malformed_header`. */
export function requireToken68(token: string, maxTokenBytes: number): void {
  if (token.length > maxTokenBytes) throw new AuthError('token_too_long', { bytes: token.length });
  if (!isToken68(token)) throw new AuthError('malformed_header');
}

/** True if a string has the form of a token in an `Authorization` header. */
export function isToken68(token: string): boolean {
  return TOKEN.test(token);
}

const SCHEMES: readonly Scheme[] = ['bearer', 'dpop'];

/** The scheme of an `Authorization` header, where it is one of access tokens, and accepted. */
export function schemeOf(header: string, accepted = SCHEMES): Scheme | undefined {
  // As nearly everybody writes it.
  if (header.startsWith('Bearer ')) return 'bearer';
  const scheme = lowerAscii(SCHEME.exec(header)?.[1] ?? '');
  return accepted.find((each) => each === scheme);
}

/** Under every name that a query parser makes `access_token` of: `access%5Ftoken`, `access_token[]`. */
function hasQueryToken(target: string): boolean {
  const query = rawQuery(target);
  // With the question mark, of which the parser takes one off: `??access_token` names something else.
  return (
    query !== '' && [...new URLSearchParams(`?${query}`).keys()].some((name) => /^access_token(?:\[|$)/.test(name))
  );
}

/** The refusal of a request that repeats a header which counts once; undefined if it repeats none. */
export function repeatedHeaderRefusal({ rawHeaders }: IncomingMessage): AuthError | undefined {
  const header = repeatedHeader(rawHeaders);
  if (header === undefined) return undefined;
  return header === 'authorization' ? new AuthError('several_tokens') : new AuthError('repeated_header', { header });
}

/**
 * Takes an access token off a request that goes on as anonymous, also one of a scheme that is not accepted here, so that
 * no backend mistakes it for a verified one. Credentials of another kind (`Basic`) are not ours to take.
 */
export function removeCredentials(req: IncomingMessage): void {
  const raw = req.rawHeaders;
  const isNamed = (i: number, name: string) => lowerAscii(raw[i] as string) === name;
  // Of two headers Node shows the first; the second may be the one with the token.
  if (!raw.some((value, i) => i % 2 === 1 && isNamed(i - 1, 'authorization') && SCHEME_ANYWHERE.test(value))) return;
  for (const name of ['authorization', 'dpop']) {
    delete req.headers[name];
    for (let i = raw.length - 2; i >= 0; i -= 2) if (isNamed(i, name)) raw.splice(i, 2);
  }
}
