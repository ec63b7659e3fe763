import type { IncomingMessage, ServerResponse } from 'node:http';
import { AuthError } from '../../core/errors.js';
import { BodyError } from '../../http/body.js';
import { BridgeError } from '../../messages/bridge-error.js';
import { replyBridgeError } from '../../messages/reply-error.js';
import { refuserOf } from '../../oauth/refusal.js';
import { observedCalls } from '../../telemetry/observe-calls.js';
import { endOfError } from '../../telemetry/outcomes.js';

/** Ends the calls of a request that failed, and answers it, with the challenge of the `mcpAuth()` in front if it is an `AuthError`. Rethrows errors that no request caused. */
export function replyFailure(req: IncomingMessage, res: ServerResponse, error: unknown): void {
  observedCalls(req)?.endAll(endOfError(error));
  if (error instanceof AuthError) refuserOf(req)?.(req, res, error.code, { scopes: [] });
  else if (error instanceof BridgeError || error instanceof BodyError) replyBridgeError(res, error);
  else throw error;
}
