/** RFC 9110, section 5.6.2: the name of a header. */
const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
/** RFC 9110, section 5.5. Bytes above 127 are those of Latin 1, as in `IncomingMessage.headers`. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** About the connection, not about the message (RFC 9110, section 7.6.1), or how long the message is. */
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

/** Headers of a request that only this server itself writes. */
const OF_THIS_SERVER = new Set([...OF_THE_CONNECTION, 'accept-encoding', 'mcp-session-id']);

/** Headers of a request that the client means for this server, or that would let it say for others who it is. */
const OF_THE_CLIENT = /^(?:authorization|cookie2?|dpop|forwarded|set-cookie2?|via|(?:proxy|x-forwarded)-.*)$/;

/** Headers of a response that are about the target's own connection or its own logins. */
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
