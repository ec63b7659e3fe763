import type { IncomingMessage } from 'node:http';
import { BodyError, readBody, requireLength, requirePlain } from '../../http/body.js';
import { isMediaType } from '../../http/media-type.js';
import { Upload } from '../../targets/http/upload.js';

/** A body up to this length is sent on when all of it is there: it takes one packet, and no target waits for a slow client. */
const MAX_COLLECTED = 65_536;

/** What goes on of a request's body: all of it, or what comes of it from now on. */
export interface RequestBody {
  readonly body: Buffer | Upload;
  /** The length of an `Upload`, where the client says it. */
  readonly contentLength: number | undefined;
}

/**
 * The body as it came, whatever it says: the target reads it. What two readers would unpack in two ways is refused.
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

/** A body that came together with the headers, as most do: Node has it as soon as the function that gets the request has returned. */
async function arrivedBody(req: IncomingMessage, length: number | undefined): Promise<Buffer | undefined> {
  await undefined;
  return length !== undefined && length > 0 && req.readableLength === length ? (req.read() ?? undefined) : undefined;
}

/** Bytes go on as a parser left them, but what it parsed becomes JSON, whatever it was. */
function requireJson(req: IncomingMessage): void {
  const { body } = req as { body?: unknown };
  if (body === undefined || Buffer.isBuffer(body)) return;
  if (isMediaType(req.headers['content-type'] ?? '', 'application/json')) return;
  throw new BodyError(415, 'A body that was parsed before it came here must be application/json');
}
