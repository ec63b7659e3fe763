import type { IncomingMessage } from 'node:http';
import { IncomingBody, longerThanDeclared, requireLength, requireMediaType, unfinished } from './body.js';

/**
 * Reads the request's JSON body and puts it back: the next reader, a body parser or an MCP transport, reads the same bytes from
 * the request.
 *
 * @param caller As for `readBody()`.
 * @throws {BodyError} If the body is compressed, not JSON by its type, too long or too slow, refused because too many arrive, or if the
 * client has left.
 */
export async function peekBody(req: IncomingMessage, maxBytes: number, caller?: string): Promise<Buffer> {
  // Read once: behind Express, each property access on a request is slow.
  const { headers } = req;
  requireMediaType(headers, 'application/json');
  requireLength(headers, maxBytes);
  // An empty body may end without a `readable` event.
  const mayBeEmpty = !(Number(headers['content-length']) > 0);
  const declared = headers['transfer-encoding'] === undefined ? Number(headers['content-length']) : Number.NaN;
  return new Promise((resolve, reject) => {
    let isOver = false;
    const removeListeners = (): void => {
      isOver = true;
      req.off('readable', onReadable).off('end', onEnd).off('close', onClose);
    };
    const body = new IncomingBody(headers, maxBytes, caller, (error) => {
      removeListeners();
      reject(error);
    });
    const onReadable = (): void => {
      for (let chunk: Buffer | null = req.read(); chunk !== null && !isOver; chunk = req.read()) body.add(chunk);
      if (isOver) return;
      // Requests that come from no socket, such as those of Fastify's `inject()`, have no `complete`.
      if (!req.complete && body.size > declared) return void body.fail(longerThanDeclared());
      if (!req.complete && body.size !== declared) return;
      removeListeners();
      const bytes = body.take();
      // The last byte has arrived, but the stream has not emitted `end` yet. Until then, `unshift()` works.
      if (bytes.length > 0) req.unshift(bytes);
      resolve(bytes);
    };
    const onEnd = (): void => {
      if (!mayBeEmpty) return void body.fail(unfinished());
      removeListeners();
      resolve(body.take());
    };
    const onClose = (): void => body.fail(unfinished());
    req.on('readable', onReadable).on('end', onEnd).on('close', onClose);
    // The client left before the body was read. No event follows, and the request would be kept until the time limit.
    if (req.destroyed) onClose();
  });
}
