import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { isMediaType, type MediaType } from './media-type.js';

type BodyStatus = 400 | 413 | 415 | 500;

/** A request body that cannot be used; `status` is what HTTP calls it. 500: the application has read the body before. */
export class BodyError extends Error {
  override readonly name = 'BodyError';
  readonly status: BodyStatus;

  constructor(status: BodyStatus, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * The request's body (JSON, unless another media type is named), at most `maxBytes` long, as it came. Where a body parser
 * ran before, what it left in `req.body` is taken: text and bytes as they are, an object serialised anew (numbers beyond
 * 2^53 are lost then, in the parser). It does not check that the body is what its media type says.
 */
export async function readBody(
  req: IncomingMessage,
  maxBytes: number,
  mediaType: MediaType = 'application/json',
): Promise<Buffer> {
  const parsed = (req as { body?: unknown }).body;
  if (req.readableEnded) {
    if (parsed === undefined) throw alreadyRead();
    const bytes = bytesOf(parsed);
    if (bytes.length > maxBytes) throw tooLarge(maxBytes);
    return bytes;
  }
  requireMediaType(req.headers, mediaType);
  requireLength(req.headers, maxBytes);
  return collect(req, maxBytes);
}

function collect(req: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const settle = (error: Error | undefined): void => {
      req.off('data', onData).off('end', onEnd).off('close', onClose);
      if (error === undefined) resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size));
      else reject(error);
    };
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > maxBytes) {
        req.pause();
        settle(tooLarge(maxBytes));
      } else chunks.push(chunk);
    };
    const onEnd = (): void => settle(undefined);
    const onClose = (): void => settle(new BodyError(400, 'The request ended before its body did'));
    req.on('data', onData).on('end', onEnd).on('close', onClose);
  });
}

function bytesOf(parsed: unknown): Buffer {
  if (Buffer.isBuffer(parsed)) return parsed;
  return Buffer.from(typeof parsed === 'string' ? parsed : stringify(parsed));
}

function stringify(parsed: unknown): string {
  try {
    return JSON.stringify(parsed);
  } catch (error) {
    // Parsers read values that are nested more deeply than the stack lets anyone write them.
    if (error instanceof RangeError) throw new BodyError(400, 'The body is nested too deeply');
    throw error;
  }
}

/** For a body of which an earlier middleware has kept nothing: no request can be served until the application is changed. */
export function alreadyRead(): BodyError {
  return new BodyError(500, 'The request body was read before it came here, and not left in req.body');
}

/**
 * Tells an operator of a body that was read before; what is the client's fault is no news.
 *
 * @param who The function that needs the body, for example `mcpScopes()`.
 */
export function reportBody(error: unknown, who: string, report: (line: string) => void): void {
  if (!(error instanceof BodyError) || error.status !== 500) return;
  report(
    `${who}: ${error.message}: mount ${who} before the middleware that reads it, or have that one keep it in req.body`,
  );
}

/** Refuses by what the request says of itself, before a byte is read. */
export function requireLength(headers: IncomingHttpHeaders, maxBytes: number): void {
  if (Number(headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
}

export function tooLarge(maxBytes: number): BodyError {
  return new BodyError(413, `The body is longer than ${maxBytes} bytes`);
}

/** A body that one reader unpacks and another does not is read as two different messages; so it comes plain, in UTF-8. */
export function requireMediaType(headers: IncomingHttpHeaders, mediaType: MediaType): void {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw new BodyError(415, 'The body must come without a Content-Encoding');
  }
  if (!isMediaType(headers['content-type'] ?? '', mediaType)) {
    throw new BodyError(415, `The Content-Type must be ${mediaType}, with charset=utf-8 or without parameters`);
  }
}
