/** The name of a header (RFC 9110, section 5.6.2), in lower case. */
const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
/** The value of a header (RFC 9110, section 5.5), in Latin 1 as in `IncomingMessage.headers`. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Headers about the connection (RFC 9110, section 7.6.1) or the framing of the message. */
const OF_THE_CONNECTION = [
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
const OF_THIS_SERVER = new Set([...OF_THE_CONNECTION, 'accept-encoding', 'mcp-session-id']);

/** Request headers with the client's credentials for this server, or with addresses that a client could forge. */
const OF_THE_CLIENT = /^(?:authorization|cookie2?|dpop|forwarded|set-cookie2?|via|(?:proxy|x-forwarded)-.*)$/;

/** Response headers about the target's own logins. */
const OF_THE_TARGET = /^(?:set-cookie2?|www-authenticate|proxy-.*)$/;

/** True if a header, in lower case, can be written as it is. */
export function isHeader(name: string, value: string): boolean {
  return NAME.test(name) && VALUE.test(value);
}

export function isHeaderName(name: string): boolean {
  return NAME.test(name);
}

/** True if a text can stand in a header as its value. */
export function isHeaderValue(value: string): boolean {
  return VALUE.test(value);
}

/** True if the application may set this header of a request to the target. */
export function mayBeSet(name: string): boolean {
  return NAME.test(name) && !OF_THIS_SERVER.has(name);
}

/** True if this header of a client may go on to the target, where an option names it. */
export function mayGoOn(name: string): boolean {
  return mayBeSet(name) && !OF_THE_CLIENT.test(name);
}

/** True if this header of the target may go on to the client, where an option names it. */
export function mayComeBack(name: string): boolean {
  return NAME.test(name) && !OF_THIS_SERVER.has(name) && !OF_THE_TARGET.test(name);
}
