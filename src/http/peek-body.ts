import type { IncomingMessage } from 'node:http';
import { requireLength, requireMediaType, tooLarge } from './body.js';

/**
 * Reads the request's JSON body, at most `maxBytes` long, and puts it back: whoever comes next, a body parser or an MCP
 * transport, reads the very same bytes from the request as if nobody had been there before. Where the body is cut off, it
 * never settles.
 *
 * @throws {BodyError} Where the body is encoded, no JSON by its type, or too long.
 */
export async function peekBody(req: IncomingMessage, maxBytes: number): Promise<Buffer> {
  // Once: behind Express each look at a request costs.
  const { headers } = req;
  requireMediaType(headers, 'application/json');
  requireLength(headers, maxBytes);
  // A body of no bytes may end without having been readable.
  const mayBeEmpty = !(Number(headers['content-length']) > 0);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const leave = (): void => {
      req.off('readable', onReadable);
      if (mayBeEmpty) req.off('end', onEnd);
    };
    const onReadable = (): void => {
      for (let chunk: Buffer | null = req.read(); chunk !== null; chunk = req.read()) {
        size += chunk.length;
        if (size > maxBytes) {
          leave();
          reject(tooLarge(maxBytes));
          return;
        }
        chunks.push(chunk);
      }
      if (!req.complete) return;
      leave();
      const body = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size);
      // The last byte has come, and the stream has not yet said so: until it does, it takes bytes back.
      if (size > 0) req.unshift(body);
      resolve(body);
    };
    const onEnd = (): void => {
      leave();
      resolve(Buffer.concat(chunks, size));
    };
    // Not 'close': where the client hangs up nobody is left to answer, and nothing holds on to what waits here.
    req.on('readable', onReadable);
    if (mayBeEmpty) req.on('end', onEnd);
  });
}
