import type { ServerResponse } from 'node:http';
import { isAnswered } from '../http/answered.js';
import type { BodyError } from '../http/body.js';
import { hasHungUp } from '../http/hang-up.js';
import { replyJson } from '../http/reply.js';
import { BridgeError } from './bridge-error.js';
import { BODY_REASONS } from './message-errors.js';

/** When it is worth trying again, in seconds. */
const RETRY_AFTER: Readonly<Record<number, number>> = { 429: 5, 503: 10 };

/** Sends what the bridge itself has to say about a request, or about a body that cannot be used: the only place. */
export function replyBridgeError(res: ServerResponse, cause: BridgeError | BodyError): void {
  if (isAnswered(res) || hasHungUp(res)) return;
  const error =
    cause instanceof BridgeError ? cause : new BridgeError(BODY_REASONS[cause.status], { detail: cause.message });
  const { retryAfterSeconds: seconds = RETRY_AFTER[error.status] ?? null } = error;
  // The rest of a body over the limit is taken in and thrown away: a client that still writes would not read the answer.
  if (!res.req.readableEnded) res.req.resume();
  replyJson(res, error.status, error.body(), {
    ...(seconds !== null && { 'retry-after': String(seconds) }),
    // A client that is so slow keeps the connection no longer.
    ...(error.status === 408 && { connection: 'close' }),
  });
}
