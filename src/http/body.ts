import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { type ArrivingBody, beginBody } from './body-budget.js';
import { lowerAscii } from './lower-ascii.js';
import { isMediaType, type MediaType } from './media-type.js';

/** How long a body may take to arrive, in milliseconds. */
const MAX_BODY_MS = 30_000;
/** When a body that was refused to make room (503) may be sent again, in seconds. */
export const BODY_RETRY_AFTER = '10';

type BodyStatus = 400 | 408 | 413 | 415 | 500 | 503;

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
 *
 * @param caller Whose bodies are counted together while they arrive; undefined: those of anonymous callers.
 * @throws {BodyError}
 */
export async function readBody(
  req: IncomingMessage,
  maxBytes: number,
  mediaType: MediaType = 'application/json',
  caller?: string,
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
  return collect(req, maxBytes, caller);
}

function collect(req: IncomingMessage, maxBytes: number, caller: string | undefined): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const leave = (): void => void req.off('data', onData).off('end', onEnd).off('close', onClose);
    const body = new IncomingBody(req.headers, maxBytes, caller, (error) => {
      leave();
      req.pause();
      reject(error);
    });
    const onData = (chunk: Buffer): void => body.add(chunk);
    const onEnd = (): void => {
      leave();
      resolve(body.take());
    };
    const onClose = (): void => body.fail(new BodyError(400, 'The request ended before its body did'));
    req.on('data', onData).on('end', onEnd).on('close', onClose);
  });
}

/** A body that is arriving: bounded in bytes and in time, and counted with the others that are. */
export class IncomingBody {
  readonly #maxBytes: number;
  readonly #declared: number;
  readonly #onFailure: (error: BodyError) => void;
  readonly #caller: string | undefined;
  readonly #late: NodeJS.Timeout;
  #chunks: Buffer[] = [];
  #size = 0;
  #counted: ArrivingBody | undefined;

  /** `onFailure` is called at most once, and nothing else follows. */
  constructor(
    headers: IncomingHttpHeaders,
    maxBytes: number,
    caller: string | undefined,
    onFailure: (error: BodyError) => void,
  ) {
    this.#declared = Number(headers['content-length']);
    this.#maxBytes = maxBytes;
    this.#caller = caller;
    this.#onFailure = onFailure;
    const tooSlow = () => this.fail(new BodyError(408, 'The body did not arrive within 30 seconds'));
    this.#late = setTimeout(tooSlow, MAX_BODY_MS).unref();
  }

  get size(): number {
    return this.#size;
  }

  add(chunk: Buffer): void {
    this.#size += chunk.length;
    if (this.#size > this.#maxBytes) {
      this.fail(tooLarge(this.#maxBytes));
      return;
    }
    this.#chunks.push(chunk);
    // Most bodies come in one piece, and are never waited for.
    if (this.#size === this.#declared) return;
    const tooMany = () => this.fail(new BodyError(503, 'Send it again later'));
    this.#counted ??= beginBody(this.#caller, tooMany);
    this.#counted.add(chunk.length);
  }

  /** All of it, once. */
  take(): Buffer {
    const chunks = this.#chunks;
    this.drop();
    return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, this.#size);
  }

  fail(error: BodyError): void {
    this.drop();
    this.#onFailure(error);
  }

  /** Keeps nothing of it any more. */
  drop(): void {
    clearTimeout(this.#late);
    this.#counted?.done();
    this.#chunks = [];
  }
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
 * Reports a body that was read before; faults of the client are not reported.
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

/** For a body that is longer than it may be. */
export function tooLarge(maxBytes: number): BodyError {
  return new BodyError(413, `The body is longer than ${maxBytes} bytes`);
}

/** A body that one reader unpacks and another does not is read as two different messages; so it comes plain. */
export function requirePlain(headers: IncomingHttpHeaders): void {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw new BodyError(415, 'The body must come without a Content-Encoding');
  }
  // Node takes `chunked` off, and nothing else.
  const coding = headers['transfer-encoding'];
  if (coding !== undefined && lowerAscii(coding) !== 'chunked') {
    throw new BodyError(415, 'The body must come without a Transfer-Encoding but chunked');
  }
}

/** The same, for a body in UTF-8. */
export function requireMediaType(headers: IncomingHttpHeaders, mediaType: MediaType): void {
  requirePlain(headers);
  if (!isMediaType(headers['content-type'] ?? '', mediaType)) {
    throw new BodyError(415, `The Content-Type must be ${mediaType}, with charset=utf-8 or without parameters`);
  }
}
