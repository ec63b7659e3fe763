import type { ServerResponse } from 'node:http';
import type { ServerHttp2Stream } from 'node:http2';

/** The members that the response of node:http2 adds. */
interface Http2Response {
  readonly stream: ServerHttp2Stream;
}

/** The error code with which a server asks for no more of a body that it does not need (RFC 9113, section 8.1). */
const NO_ERROR = 0;

/**
 * Ends the connection with the answer, because the rest of the body is not read, and would be taken for the next request. HTTP/2 has no
 * `Connection` header (RFC 9113, section 8.2.2) and needs none: there the stream of the request ends.
 */
export function closeAfterAnswer(res: ServerResponse): void {
  if (isHttp2(res)) closeStream(res);
  else res.setHeader('connection', 'close');
}

/**
 * Discards the rest of a body that is refused: a client of HTTP/1.1 that is still writing would not read the answer, so the rest is read,
 * and its connection stays open. Over HTTP/2 the stream ends with the answer.
 */
export function discardBody(res: ServerResponse): void {
  if (res.req.readableEnded) return;
  if (isHttp2(res)) closeStream(res);
  else res.req.resume();
}

function isHttp2(res: ServerResponse): boolean {
  return res.req.httpVersionMajor >= 2;
}

/** The response of node:http2 emits `finish` only when its stream has closed, so the stream says when the answer is sent. */
function closeStream(res: ServerResponse): void {
  const { stream } = res as unknown as Http2Response;
  stream.once('finish', () => {
    stream.close(NO_ERROR);
    // Node never closes a stream with bytes that are not read.
    res.req.resume();
  });
}
