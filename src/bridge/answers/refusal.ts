import type { ServerResponse } from 'node:http';
import type { BodyError } from '../../http/body.js';
import { replyJson } from '../../http/reply.js';
import { BridgeError } from '../../messages/bridge-error.js';
import { BODY_REASONS } from '../../messages/message-errors.js';

/** When it is worth trying again, in seconds. */
const RETRY_AFTER: Readonly<Record<number, string>> = { 429: '5', 503: '10' };

/** Sends what the bridge itself has to say about a request: the only place. */
export function refuse(res: ServerResponse, error: BridgeError): void {
  if (res.headersSent || res.destroyed) return;
  const retryAfter = RETRY_AFTER[error.status];
  // The rest of a body over the limit is taken in and thrown away: a client that still writes would not read the answer.
  if (!res.req.readableEnded) res.req.resume();
  replyJson(res, error.status, error.body(), retryAfter === undefined ? {} : { 'retry-after': retryAfter });
}

/** A body that cannot be used, as a JSON-RPC error. */
export function bridgeErrorFor({ status, message }: BodyError): BridgeError {
  return new BridgeError(BODY_REASONS[status], { detail: message });
}
