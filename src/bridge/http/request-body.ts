import type { IncomingMessage } from 'node:http';
import { BodyError, readBody, requireLength, requirePlain } from '../../http/body.js';
import { isMediaType } from '../../http/media-type.js';
import { Upload } from '../../targets/http/upload.js';

/** Bytes. A body up to this size is forwarded when it is complete, in one packet, so that no target waits for a slow client. */
const MAX_COLLECTED = 65_536;

/** A request's body for the target: complete, or as a stream. */
export interface RequestBody {
  readonly body: Buffer | Upload;
  /** The length of an `Upload`, if the client declared it. */
  readonly contentLength: number | undefined;
}

/**
 * Returns the body unchanged and unparsed. Refuses a compressed body, which two readers could decode differently.
 *
 * @param caller As for `readBody()`.
 * @throws {BodyError}
 */
export async function requestBody(req: IncomingMessage, maxBytes: number, caller?: string): Promise<RequestBody> {
  if (req.readableEnded) requireJson(req);
  else requirePlain(req.headers);
  const { 'transfer-encoding': coding, 'content-length': length } = req.headers;
  const declared = coding === undefined ? Number(length ?? 0) : undefined;
  requireLength(req.headers, maxBytes);
  if (req.readableEnded || (declared !== undefined && declared <= MAX_COLLECTED)) {
    const body = (await arrivedBody(req, declared)) ?? (await readBody(req, maxBytes, '*/*', caller));
    return { body, contentLength: undefined };
  }
  return { body: new Upload(req, maxBytes), contentLength: declared };
}

/** Returns a body that arrived together with the headers, as most do: Node has parsed it once the request listener has returned. */
async function arrivedBody(req: IncomingMessage, length: number | undefined): Promise<Buffer | undefined> {
  await undefined;
  return length !== undefined && length > 0 && req.readableLength === length ? (req.read() ?? undefined) : undefined;
}

/** Requires JSON if a parser has read the body: it is serialized again as JSON. A parser's Buffer is forwarded as it is. */
function requireJson(req: IncomingMessage): void {
  const { body } = req as { body?: unknown };
  if (body === undefined || Buffer.isBuffer(body)) return;
  if (isMediaType(req.headers['content-type'] ?? '', 'application/json')) return;
  throw new BodyError(415, 'A body that another middleware has parsed must be application/json');
}
