import type { IncomingMessage } from 'node:http';
import { AuthError } from '../core/errors.js';
import { lowerAscii } from '../http/lower-ascii.js';
import { trimOws } from '../http/ows.js';
import { removeHeader } from '../http/remove-header.js';
import { repeatedHeader } from '../http/repeated-header.js';
import { rawQuery } from '../http/request-target.js';

/** The authentication schemes of access tokens: RFC 6750 and RFC 9449. */
export type Scheme = 'bearer' | 'dpop';

/** Matches every header that a lenient parser would read as one of these schemes, whatever separates the scheme from the token. */
const SCHEME = /^(bearer|dpop)(?![\w!#$%&'*+.^`|~-])/i;
/** Matches the same after text that other readers may trim or split off: non-ASCII white space, a quote, another credential and a comma. */
const SCHEME_ANYWHERE = /(?<![\w!#$%&'*+.^`|~-])(?:bearer|dpop)(?![\w!#$%&'*+.^`|~-])/i;
/** RFC 6750, section 2.1, and RFC 9449, section 7.1: `token68`. */
const TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;

const NO_TOKEN = new AuthError('missing_token');
const TOKEN_IN_QUERY = new AuthError('missing_token', {
  hint: 'a token in the query is not read, only one in the Authorization header',
});
const OTHER_SCHEME = new AuthError('missing_token', {
  hint: 'the Authorization header has no scheme that is accepted here; send "Authorization: Bearer" and the token',
});

/** Returns the refusal of a request without a token in its `Authorization` header. The log names a token in the query. */
export function missingTokenRefusal(target: string): AuthError {
  return hasQueryToken(target) ? TOKEN_IN_QUERY : NO_TOKEN;
}

/**
 * Reads the access token from the `Authorization` header (RFC 6750, section 2.1). Does not check the form of the token: its verification does.
 *
 * @param scheme The scheme of the header, from {@link schemeOf}.
 * @throws {AuthError} `missing_token`, `malformed_header`, `several_tokens`.
 */
export function readToken(header: string, scheme: Scheme | undefined, target: string): string {
  if (scheme === undefined) throw hasQueryToken(target) ? TOKEN_IN_QUERY : OTHER_SCHEME;
  if (header[scheme.length] !== ' ') throw new AuthError('malformed_header');
  // RFC 6750, section 2: a request must use one method only. A proxy in front may have checked the other token.
  if (hasQueryToken(target)) throw new AuthError('several_tokens');
  return trimOws(header.slice(scheme.length + 1));
}

/**
 * Checks the length and the characters of a token.
 *
 * @throws {AuthError} `token_too_long`, `malformed_header`.
 */
export function requireToken68(token: string, maxTokenBytes: number): void {
  requireLength(token, maxTokenBytes);
  if (!isToken68(token)) throw new AuthError('malformed_header');
}

/**
 * Checks the length and the characters of an API key. Two kinds of strings are never keys, and are refused even if their hash is in a table by
 * mistake: an empty one, and one with the scheme of a token before it, which `revoke()` takes for a mistake.
 *
 * @throws {AuthError} `token_too_long`, `unknown_api_key`.
 */
export function requireApiKey(key: string, maxBytes: number): void {
  requireLength(key, maxBytes);
  if (!isApiKeyText(key)) throw new AuthError('unknown_api_key');
}

function requireLength(credential: string, maxBytes: number): void {
  if (credential.length > maxBytes) throw new AuthError('token_too_long', { bytes: credential.length });
}

/** True if a string has the form of a token in an `Authorization` header. */
export function isToken68(token: string): boolean {
  return TOKEN.test(token);
}

/** Matches what a header can have as its value (RFC 9110, section 5.5), without the white space around it, which is not part of it. */
const HEADER_VALUE = /^[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?$/;
const SCHEME_BEFORE = /^(?:bearer|dpop)[ \t]/i;

/** True if a string can be an API key in a header of its own. False also for one with the scheme of a token before it. */
export function isApiKeyText(text: string): boolean {
  return HEADER_VALUE.test(text) && !SCHEME_BEFORE.test(text);
}

const SCHEMES: readonly Scheme[] = ['bearer', 'dpop'];

/** Returns the scheme of an `Authorization` header if it is one of the accepted schemes of access tokens. */
export function schemeOf(header: string, accepted = SCHEMES): Scheme | undefined {
  // The fast path: nearly every client writes it so.
  if (header.startsWith('Bearer ')) return 'bearer';
  const scheme = lowerAscii(SCHEME.exec(header)?.[1] ?? '');
  return accepted.find((each) => each === scheme);
}

/** True if some reader could find an access token in an `Authorization` header. */
export function mayHaveToken(authorization: string | undefined): boolean {
  return authorization !== undefined && SCHEME_ANYWHERE.test(authorization);
}

/** Looks for every name that query parsers read as `access_token`: `access%5Ftoken`, `access_token[]`. */
export function hasQueryToken(target: string): boolean {
  const query = rawQuery(target);
  // The parser strips one question mark, so add one: in `??access_token=` the name is `?access_token`, another parameter.
  return (
    query !== '' && [...new URLSearchParams(`?${query}`).keys()].some((name) => /^access_token(?:\[|$)/.test(name))
  );
}

/** Returns the refusal of a request that repeats a header which may appear only once; undefined if there is none. */
export function repeatedHeaderRefusal({ rawHeaders }: IncomingMessage): AuthError | undefined {
  const header = repeatedHeader(rawHeaders);
  if (header === undefined) return undefined;
  return header === 'authorization' ? new AuthError('several_tokens') : new AuthError('repeated_header', { header });
}

/**
 * Removes the access token from a request that continues as anonymous, even one of a scheme that is not accepted here: a
 * backend could take it for a verified one. Leaves other credentials (`Basic`) in place.
 */
export function removeAccessToken(req: IncomingMessage): void {
  if (!hasAccessToken(req)) return;
  removeHeader(req, 'authorization');
  removeHeader(req, 'dpop');
}

/**
 * Looks in both places where applications read a header. Of two Authorization headers, `headers` has only the first, and an earlier
 * middleware may have written a token to `headers` alone, such as that of a cookie.
 */
function hasAccessToken({ headers, rawHeaders: raw }: IncomingMessage): boolean {
  const isSent = (value: string, i: number) =>
    i % 2 === 1 && lowerAscii(raw[i - 1] as string) === 'authorization' && mayHaveToken(value);
  return mayHaveToken(headers.authorization) || raw.some(isSent);
}
