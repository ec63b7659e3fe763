import type { IncomingMessage } from 'node:http';
import { getAuth } from '../core/auth-info.js';
import { createPerRequestMember } from '../core/per-request.js';
import { userOf } from '../core/principal.js';
import { alreadyRead } from '../http/body.js';
import { carriesBody, isBodyParsed } from '../http/carries-body.js';
import { peekBody } from '../http/peek-body.js';
import { parseReceivedBody, type ReceivedBody, readCalls, requireMatchingHeaders } from './calls-in-body.js';

type MessageRequest = IncomingMessage & { body?: unknown };

interface Read {
  /** The body that the calls were read from. */
  readonly body: unknown;
  readonly message: ReceivedBody;
}

const reads = createPerRequestMember<Read>();

/** Methods that pass without a message. With a body they are read like a POST, since a server may ignore the method. */
const WITHOUT_MESSAGE = ['GET', 'HEAD', 'DELETE', 'OPTIONS'];

/** True for a request that has no message, and needs none. */
export function lacksMessage(req: IncomingMessage): boolean {
  return WITHOUT_MESSAGE.includes(req.method ?? '') && !carriesBody(req);
}

/**
 * Reads the calls of a request, and leaves its body to the next reader: in `req.body`, and as unread bytes. If a body parser ran
 * before, the server uses its result, so this function reads that result.
 *
 * @throws {MessageError | BodyError} If the body is not a message that all readers read alike.
 */
export async function readReceivedMessage(req: IncomingMessage, maxBodyBytes: number): Promise<ReceivedBody> {
  const body = isBodyParsed(req)
    ? parsedBody(req)
    : takeBody(req, await peekBody(req, maxBodyBytes, userOf(getAuth(req))));
  const message = readCalls(body);
  requireMatchingHeaders(message, req.headers);
  reads.set(req, { body, message });
  return message;
}

/**
 * Returns the calls that an earlier middleware of this package has read; undefined if there was none, or `req.body` was replaced.
 * For counting calls only: to decide who may make a call, {@link readReceivedMessage} reads what the server will receive.
 */
export function knownMessage(req: IncomingMessage): ReceivedBody | undefined {
  const read = reads.get(req);
  return read !== undefined && read.body === (req as MessageRequest).body ? read.message : undefined;
}

/** Notes that nothing will read the message of a request: it counts as one call, whatever its body is. */
export function ignoreMessage(req: IncomingMessage): void {
  reads.set(req, { body: (req as MessageRequest).body, message: { isBatch: false, calls: [] } });
}

/** Parses a body that no middleware has read, and sets `req.body`. The bytes also stay readable from the request. */
function takeBody(req: MessageRequest, bytes: Buffer): unknown {
  const parsed = parseReceivedBody(bytes);
  req.body = parsed;
  return parsed;
}

/** The JSON that an earlier body parser put into `req.body`. */
function parsedBody({ body }: MessageRequest): unknown {
  if (body === undefined) throw alreadyRead();
  return typeof body === 'string' || Buffer.isBuffer(body) ? parseReceivedBody(Buffer.from(body)) : body;
}
