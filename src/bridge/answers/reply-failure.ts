import { AuthError } from '../../core/errors.js';
import { BodyError } from '../../http/body.js';
import { BridgeError } from '../../messages/bridge-error.js';
import { replyBridgeError } from '../../messages/reply-error.js';
import { refuserOf } from '../../oauth/refusal.js';
import { observedCalls } from '../../telemetry/observe-calls.js';
import { endOfError } from '../../telemetry/outcomes.js';
import type { OpenAnswer } from './open-answer.js';

/** A request that is answered with an error. */
type FailedRequest = Pick<OpenAnswer, 'req' | 'res' | 'breakOff'>;

/**
 * Ends the calls of a request that failed, and answers it, with the challenge of the `mcpAuth()` in front if it is an `AuthError`. Rethrows
 * errors that no request caused, and no others: if a function of the application throws while the answer is written, an error handler of the
 * application calls that function too.
 */
export function replyFailure({ req, res, breakOff }: FailedRequest, error: unknown): void {
  observedCalls(req)?.endAll(endOfError(error));
  if (!(error instanceof AuthError || error instanceof BridgeError || error instanceof BodyError)) throw error;
  try {
    if (error instanceof AuthError) refuserOf(req)?.(req, res, error.code, { scopes: [] });
    else replyBridgeError(res, error);
  } catch (thrown) {
    breakOff(res, thrown);
  }
}
