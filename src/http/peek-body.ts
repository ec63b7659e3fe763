import type { IncomingMessage } from 'node:http';
import { BodyError, requireLength, requireMediaType, tooLarge } from './body.js';

/**
 * Reads the request's JSON body, at most `maxBytes` long, and puts it back: whoever comes next, a body parser or an MCP
 * transport, reads the very same bytes from the request as if nobody had been there before.
 *
 * @throws {BodyError} Where the body is encoded, no JSON by its type, too long, or cut off.
 */
export async function peekBody(req: IncomingMessage, maxBytes: number): Promise<Buffer> {
  requireMediaType(req, 'application/json');
  requireLength(req, maxBytes);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const leave = (): void => {
      req.off('readable', onReadable).off('end', onEnd).off('close', onClose);
    };
    const fail = (error: BodyError): void => {
      leave();
      reject(error);
    };
    const onReadable = (): void => {
      for (let chunk: Buffer | null = req.read(); chunk !== null; chunk = req.read()) {
        size += chunk.length;
        if (size > maxBytes) {
          fail(tooLarge(maxBytes));
          return;
        }
        chunks.push(chunk);
      }
      if (req.complete) onEnd();
    };
    const onEnd = (): void => {
      leave();
      const body = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size);
      // The last byte has come, and the stream has not yet said so: until it does, it takes bytes back.
      if (size > 0 && !req.readableEnded) req.unshift(body);
      resolve(body);
    };
    const onClose = (): void => fail(new BodyError(400, 'The request ended before its body did'));
    req.on('readable', onReadable).on('close', onClose);
    // A body of no bytes may end without having been readable.
    if (!(Number(req.headers['content-length']) > 0)) req.on('end', onEnd);
  });
}
