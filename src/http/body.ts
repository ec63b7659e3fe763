import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { type ArrivingBody, beginBody } from './body-budget.js';
import { lowerAscii } from './lower-ascii.js';
import { isMediaType, type MediaType } from './media-type.js';

/** Milliseconds that a body may take to arrive. */
export const MAX_BODY_MS = 30_000;
/** Seconds until a body that was refused with 503 may be sent again. */
export const BODY_RETRY_AFTER = '10';

type BodyStatus = 400 | 408 | 413 | 415 | 500 | 503;

/** Thrown for a request body that cannot be used. `status` is the HTTP status; 500: the application has read the body before. */
export class BodyError extends Error {
  override readonly name = 'BodyError';
  readonly status: BodyStatus;

  constructor(status: BodyStatus, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * Reads the unchanged body of a request. If a body parser ran before, it uses `req.body`: text and bytes as they are, an object
 * serialised again (the parser has already rounded numbers beyond 2^53). It does not check that the body matches its media type.
 *
 * @param caller The bodies of one caller are counted together while they arrive; undefined: those of anonymous callers.
 * @throws {BodyError} If the body is longer than `maxBytes`, of another media type, too slow, or refused because too many arrive.
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
    const removeListeners = (): void => void req.off('data', onData).off('end', onEnd).off('close', onClose);
    const body = new IncomingBody(req.headers, maxBytes, caller, (error) => {
      removeListeners();
      req.pause();
      reject(error);
    });
    const onData = (chunk: Buffer): void => body.add(chunk);
    const onEnd = (): void => {
      removeListeners();
      resolve(body.take());
    };
    const onClose = (): void => body.fail(unfinished());
    req.on('data', onData).on('end', onEnd).on('close', onClose);
    // The client left before the body was read. No event follows, and the request would be kept until the time limit.
    if (req.destroyed) onClose();
  });
}

/** A body that is arriving. It is limited in bytes and time, and counted together with other arriving bodies. */
export class IncomingBody {
  readonly #maxBytes: number;
  readonly #declared: number;
  readonly #onFailure: (error: BodyError) => void;
  readonly #caller: string | undefined;
  readonly #timer: NodeJS.Timeout;
  #chunks: Buffer[] = [];
  #size = 0;
  #counted: ArrivingBody | undefined;

  /** `onFailure` is called at most once. */
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
    this.#timer = setTimeout(() => this.fail(tooSlow()), MAX_BODY_MS).unref();
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
    // Most bodies arrive in one piece, and need not be counted.
    if (this.#size === this.#declared) return;
    const tooMany = () => this.fail(new BodyError(503, 'Send the request again later'));
    this.#counted ??= beginBody(this.#caller, tooMany);
    this.#counted.add(chunk.length);
  }

  /** Returns the whole body. Can be called only once. */
  take(): Buffer {
    const chunks = this.#chunks;
    this.drop();
    return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, this.#size);
  }

  fail(error: BodyError): void {
    this.drop();
    this.#onFailure(error);
  }

  /** Drops the bytes and stops the timer. */
  drop(): void {
    clearTimeout(this.#timer);
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
    // Parsers accept deeper nesting than JSON.stringify() can write without a stack overflow.
    if (error instanceof RangeError) throw new BodyError(400, 'The body is nested too deeply');
    throw error;
  }
}

/** The error if an earlier middleware has read the body and kept nothing of it. Every request fails until the application is changed. */
export function alreadyRead(): BodyError {
  return new BodyError(500, 'An earlier middleware read the request body and did not keep it in req.body');
}

/**
 * Reports a body that an earlier middleware has read. It does not report errors of the client.
 *
 * @param who The function that needs the body, for example `mcpScopes()`.
 */
export function reportBody(error: unknown, who: string, report: (line: string) => void): void {
  if (!(error instanceof BodyError) || error.status !== 500) return;
  report(
    `${who}: ${error.message}: mount ${who} before that middleware, or make the middleware keep the body in req.body`,
  );
}

/**
 * Refuses a body whose `Content-Length` is over the limit, before a byte is read.
 *
 * @throws {BodyError}
 */
export function requireLength(headers: IncomingHttpHeaders, maxBytes: number): void {
  if (Number(headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
}

/** Returns the error for a body that takes longer than {@link MAX_BODY_MS}. */
export function tooSlow(): BodyError {
  return new BodyError(408, 'The body did not arrive within 30 seconds');
}

/** Returns the error for a body whose client has left. No answer reaches the client. */
export function unfinished(): BodyError {
  return new BodyError(400, 'The request ended before its body did');
}

/** Returns the error for a body that is longer than its `Content-Length` says. Node's own server passes no more than that on. */
export function longerThanDeclared(): BodyError {
  return new BodyError(400, 'The body is longer than its Content-Length');
}

/** Returns the error for a body that is too long. */
export function tooLarge(maxBytes: number): BodyError {
  return new BodyError(413, `The body is longer than ${maxBytes} bytes`);
}

/**
 * Requires a body without compression: two readers could decode it differently.
 *
 * @throws {BodyError}
 */
export function requirePlain(headers: IncomingHttpHeaders): void {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw new BodyError(415, 'The body must come without a Content-Encoding');
  }
  // Node decodes `chunked` only.
  const coding = headers['transfer-encoding'];
  if (coding !== undefined && lowerAscii(coding) !== 'chunked') {
    throw new BodyError(415, 'The body must come without a Transfer-Encoding other than chunked');
  }
}

/**
 * Requires a media type in UTF-8 without compression: two readers could decode anything else differently.
 *
 * @throws {BodyError}
 */
export function requireMediaType(headers: IncomingHttpHeaders, mediaType: MediaType): void {
  requirePlain(headers);
  if (!isMediaType(headers['content-type'] ?? '', mediaType)) {
    throw new BodyError(415, `The Content-Type must be ${mediaType}, with charset=utf-8 or without parameters`);
  }
}
