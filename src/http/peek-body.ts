import type { IncomingMessage } from 'node:http';
import { IncomingBody, requireLength, requireMediaType } from './body.js';

/**
 * Reads the request's JSON body, at most `maxBytes` long, and puts it back: whoever comes next, a body parser or an MCP
 * transport, reads the very same bytes from the request as if nobody had been there before. Where the body is cut off, it
 * never settles.
 *
 * @param caller As for `readBody()`.
 * @throws {BodyError} Where the body is encoded, no JSON by its type, too long or too slow, or refused to make room for others.
 */
export async function peekBody(req: IncomingMessage, maxBytes: number, caller?: string): Promise<Buffer> {
  // Once: behind Express each look at a request costs.
  const { headers } = req;
  requireMediaType(headers, 'application/json');
  requireLength(headers, maxBytes);
  // A body of no bytes may end without having been readable.
  const mayBeEmpty = !(Number(headers['content-length']) > 0);
  return new Promise((resolve, reject) => {
    let isOver = false;
    const leave = (): void => {
      isOver = true;
      req.off('readable', onReadable).off('close', onClose);
      if (mayBeEmpty) req.off('end', onEnd);
    };
    const body = new IncomingBody(headers, maxBytes, caller, (error) => {
      leave();
      reject(error);
    });
    const onReadable = (): void => {
      for (let chunk: Buffer | null = req.read(); chunk !== null && !isOver; chunk = req.read()) body.add(chunk);
      if (!req.complete || isOver) return;
      leave();
      const bytes = body.take();
      // The last byte has come, and the stream has not yet said so: until it does, it takes bytes back.
      if (bytes.length > 0) req.unshift(bytes);
      resolve(bytes);
    };
    const onEnd = (): void => {
      leave();
      resolve(body.take());
    };
    // If the client hangs up, no answer can reach it.
    const onClose = (): void => body.drop();
    req.on('readable', onReadable).on('close', onClose);
    if (mayBeEmpty) req.on('end', onEnd);
  });
}
