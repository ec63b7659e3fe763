import type { ServerResponse } from 'node:http';

/** The members that the response of node:http2 adds. */
interface Http2Response {
  readonly stream: { close(code: number): void };
}

/** The error code with which a server asks for no more of a body that it does not need (RFC 9113, section 8.1). */
const NO_ERROR = 0;

/**
 * Ends the connection with the answer, because the rest of the body is not read, and would be taken for the next request. HTTP/2 has no
 * `Connection` header (RFC 9113, section 8.2.2) and needs none: there the stream of the request ends.
 */
export function closeAfterAnswer(res: ServerResponse): void {
  if (res.req.httpVersionMajor < 2) {
    res.setHeader('connection', 'close');
    return;
  }
  // Node never closes a stream with bytes that are not read.
  res.req.resume();
  res.once('finish', () => (res as unknown as Http2Response).stream.close(NO_ERROR));
}
