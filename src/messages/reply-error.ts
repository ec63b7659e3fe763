import type { ServerResponse } from 'node:http';
import { isAnswered } from '../http/answered.js';
import type { BodyError } from '../http/body.js';
import { discardBody } from '../http/close-after-answer.js';
import { hasHungUp } from '../http/hang-up.js';
import { replyJson } from '../http/reply.js';
import { BridgeError } from './bridge-error.js';
import { BODY_REASONS } from './message-errors.js';

/** `Retry-After` for a status, in seconds. */
const RETRY_AFTER: Readonly<Record<number, number>> = { 429: 5, 503: 10 };

/** Answers with an error of the bridge itself, or with that of a body that cannot be used. Sends nothing if an answer was begun. */
export function replyBridgeError(res: ServerResponse, cause: BridgeError | BodyError): void {
  if (isAnswered(res) || hasHungUp(res)) return;
  const error =
    cause instanceof BridgeError ? cause : new BridgeError(BODY_REASONS[cause.status], { detail: cause.message });
  const { retryAfterSeconds: seconds = RETRY_AFTER[error.status] ?? null } = error;
  discardBody(res);
  replyJson(res, error.status, error.body(), {
    ...(seconds !== null && { 'retry-after': String(seconds) }),
    // Closes the connection of a client that sends its body too slowly, and every connection to a process that is shutting down.
    ...((error.status === 408 || error.reason === 'closing') && { connection: 'close' }),
  });
}
