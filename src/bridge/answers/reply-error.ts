import type { IncomingMessage, ServerResponse } from 'node:http';
import { isAnswered } from '../../http/answered.js';
import { AuthError } from '../../core/errors.js';
import { BodyError } from '../../http/body.js';
import { hasHungUp } from '../../http/hang-up.js';
import { replyJson } from '../../http/reply.js';
import { BridgeError } from '../../messages/bridge-error.js';
import { BODY_REASONS } from '../../messages/message-errors.js';
import { refuserOf } from '../../oauth/refusal.js';

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

/** Answers a request that failed, in the name of the `mcpAuth()` that let it pass or in our own. Throws what is no fault of a request. */
export function replyFailure(req: IncomingMessage, res: ServerResponse, error: unknown): void {
  if (error instanceof AuthError) refuserOf(req)?.(req, res, error.code, { scopes: [] });
  else if (error instanceof BridgeError || error instanceof BodyError) replyBridgeError(res, error);
  else throw error;
}
