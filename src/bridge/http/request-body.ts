import type { IncomingMessage } from 'node:http';
import { BodyError, readBody, requireLength, requirePlain } from '../../http/body.js';
import { isMediaType } from '../../http/media-type.js';
import { Upload } from '../../targets/http/upload.js';

/** Bytes. A shorter body is read as a whole before it is forwarded: that is faster, and a slow client does not block a connection to the target. */
const MAX_COLLECTED = 65_536;

/** The body to forward: all of it, or a stream. */
export interface RequestBody {
  readonly body: Buffer | Upload;
  /** The length of an `Upload`, if the client declares it. */
  readonly contentLength: number | undefined;
}

/**
 * Returns the body as it arrived. It is not parsed: the target does that. Compressed bodies are refused, as everywhere.
 *
 * @param isWhole True if a long body must be read as a whole too.
 * @param caller As for `readBody()`.
 * @throws {BodyError}
 */
export function requestBody(
  req: IncomingMessage,
  { maxBodyBytes: maxBytes }: { readonly maxBodyBytes: number },
  isWhole: boolean,
  caller?: string,
): RequestBody | Promise<RequestBody> {
  if (req.readableEnded) requireJson(req);
  else requirePlain(req.headers);
  const { 'transfer-encoding': coding, 'content-length': length } = req.headers;
  const declared = coding === undefined ? Number(length ?? 0) : undefined;
  requireLength(req.headers, maxBytes);
  if (isWhole || req.readableEnded || (declared !== undefined && declared <= MAX_COLLECTED)) {
    return collectedBody(req, declared, () => readBody(req, maxBytes, '*/*', caller));
  }
  return { body: new Upload(req, maxBytes), contentLength: declared };
}

/** Most bodies arrive together with the headers: Node has them as soon as the request listener has returned. */
async function collectedBody(
  req: IncomingMessage,
  length: number | undefined,
  readLater: () => Promise<Buffer>,
): Promise<RequestBody> {
  await undefined;
  const hasArrived = length !== undefined && length > 0 && req.readableLength === length;
  const body: Buffer = (hasArrived ? req.read() : null) ?? (await readLater());
  return { body, contentLength: undefined };
}

/** A body that a parser left as bytes is forwarded as it is; any other becomes JSON, so it must have been JSON. */
function requireJson(req: IncomingMessage): void {
  const { body } = req as { body?: unknown };
  if (body === undefined || Buffer.isBuffer(body)) return;
  if (isMediaType(req.headers['content-type'] ?? '', 'application/json')) return;
  throw new BodyError(415, 'A body that another middleware has parsed must be application/json');
}
