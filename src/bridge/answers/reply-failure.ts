import type { IncomingMessage, ServerResponse } from 'node:http';
import { AuthError } from '../../core/errors.js';
import { BodyError } from '../../http/body.js';
import { BridgeError } from '../../messages/bridge-error.js';
import { replyBridgeError } from '../../messages/reply-error.js';
import { refuserOf } from '../../oauth/refusal.js';

/** Answers a request that failed, with the challenge of the `mcpAuth()` in front if it is an `AuthError`. Rethrows errors that no request caused. */
export function replyFailure(req: IncomingMessage, res: ServerResponse, error: unknown): void {
  if (error instanceof AuthError) refuserOf(req)?.(req, res, error.code, { scopes: [] });
  else if (error instanceof BridgeError || error instanceof BodyError) replyBridgeError(res, error);
  else throw error;
}
