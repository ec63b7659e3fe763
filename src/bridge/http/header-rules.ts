/** RFC 9110, section 5.6.2: the name of a header. */
const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
/** RFC 9110, section 5.5. Bytes above 127 are those of Latin 1, as in `IncomingMessage.headers`. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Headers about the connection (RFC 9110, section 7.6.1), or about the length and coding of the message. */
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

/** Headers of a request that only this package writes. */
const RESERVED_HEADERS = new Set([...CONNECTION_HEADERS, 'accept-encoding', 'mcp-session-id']);

/** Headers of a client's request that are credentials for this server, or that claim who sent the request. */
const CREDENTIALS_AND_ORIGIN = /^(?:authorization|cookie2?|dpop|forwarded|set-cookie2?|via|(?:proxy|x-forwarded)-.*)$/;

/** Headers of a response that are about the target's own cookies, logins and proxies. */
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

/** True if the application may set this header in requests to the target. */
export function mayBeSet(name: string): boolean {
  return NAME.test(name) && !RESERVED_HEADERS.has(name);
}

/** True if `requestHeaders` may name this header, so that a client's value reaches the target. */
export function mayReachTarget(name: string): boolean {
  return mayBeSet(name) && !CREDENTIALS_AND_ORIGIN.test(name);
}

/** True if `responseHeaders` may name this header, so that the target's value reaches the client. */
export function mayReachClient(name: string): boolean {
  return NAME.test(name) && !RESERVED_HEADERS.has(name) && !COOKIES_AND_LOGINS.test(name);
}
