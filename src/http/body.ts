import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { type ArrivingBody, beginBody } from './body-budget.js';

/** How long a body may take to arrive, in milliseconds. */
const MAX_BODY_MS = 30_000;
/** When it is worth sending one again that had to give way (503), in seconds. */
export const BODY_RETRY_AFTER = '10';

/** A request body that cannot be used; `status` is what HTTP calls it. */
export class BodyError extends Error {
  override readonly name = 'BodyError';
  readonly status: 400 | 408 | 413 | 415 | 503;

  constructor(status: BodyError['status'], message: string) {
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
  mediaType = 'application/json',
  caller?: string,
): Promise<Buffer> {
  const parsed = (req as { body?: unknown }).body;
  if (req.readableEnded) {
    if (parsed === undefined) throw new Error('The request body was read before, and not left in req.body');
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
  return Buffer.from(typeof parsed === 'string' ? parsed : JSON.stringify(parsed));
}

/** Refuses by what the request says of itself, before a byte is read. */
export function requireLength(headers: IncomingHttpHeaders, maxBytes: number): void {
  if (Number(headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
}

export function tooLarge(maxBytes: number): BodyError {
  return new BodyError(413, `The body is longer than ${maxBytes} bytes`);
}

/** A body that one reader unpacks and another does not is read as two different messages; so it comes plain, in UTF-8. */
export function requireMediaType(headers: IncomingHttpHeaders, mediaType: string): void {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw new BodyError(415, 'The body must come without a Content-Encoding');
  }
  const type = headers['content-type'] ?? '';
  if (type === mediaType) return;
  const [essence = '', ...parameters] = type.toLowerCase().split(';');
  if (essence.trim() !== mediaType) throw new BodyError(415, `The Content-Type must be ${mediaType}`);
  for (const parameter of parameters) {
    const [name = '', value = ''] = parameter.trim().split('=');
    if (name === 'charset' && !/^"?utf-?8"?$/.test(value)) throw new BodyError(415, 'The charset must be utf-8');
  }
}
