/** The name of a header (RFC 9110, section 5.6.2), in lower case. */
const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
/** The value of a header (RFC 9110, section 5.5), in Latin 1 as in `IncomingMessage.headers`. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Headers about the connection (RFC 9110, section 7.6.1) or the framing of the message. */
const CONNECTION_HEADERS = [
  'connection',
  'content-encoding',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/** Request headers that only this server sets. */
const RESERVED_HEADERS = new Set([...CONNECTION_HEADERS, 'accept-encoding', 'mcp-session-id']);

/** Request headers with the client's credentials for this server, or with addresses that a client could forge. */
const CREDENTIALS_AND_ORIGIN =
  /^(?:authorization|cookie2?|dpop|forwarded|set-cookie2?|via|x-api-key|(?:proxy|x-forwarded)-.*)$/;

/** Response headers about the target's own logins. */
const COOKIES_AND_LOGINS = /^(?:set-cookie2?|www-authenticate|proxy-.*)$/;

/** True if a header can be written as it is. Its name must be in lower case. */
export function isHeader(name: string, value: string): boolean {
  return NAME.test(name) && VALUE.test(value);
}

export function isHeaderName(name: string): boolean {
  return NAME.test(name);
}

/** True if a string can be the value of a header. */
export function isHeaderValue(value: string): boolean {
  return VALUE.test(value);
}

/**
 * Returns the name by which a target may look up a header: servers with a CGI-like interface (WSGI, Rack, PHP) read `x_user` and
 * `x-user` under the same name, `HTTP_X_USER`. Names that are equal here must count as one header.
 *
 * @param name In lower case.
 */
export function foldHeaderName(name: string): string {
  return name.replace(/[^0-9a-z]/g, '-');
}

/** True if the application may set this header in requests to the target. */
export function mayBeSet(name: string): boolean {
  return NAME.test(name) && !RESERVED_HEADERS.has(foldHeaderName(name));
}

/** True if `requestHeaders` may name this header, so that a client's value reaches the target. */
export function mayReachTarget(name: string): boolean {
  return mayBeSet(name) && !CREDENTIALS_AND_ORIGIN.test(foldHeaderName(name));
}

/** True if `responseHeaders` may name this header, so that the target's value reaches the client. */
export function mayReachClient(name: string): boolean {
  return NAME.test(name) && !RESERVED_HEADERS.has(name) && !COOKIES_AND_LOGINS.test(name);
}
