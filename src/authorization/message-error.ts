import type { BodyError } from '../http/body.js';
import { BODY_REASONS, errorResponse, errorRow, MESSAGE_ERRORS } from '../messages/message-errors.js';

/** Why a body is not decided on. Each key has a heading in docs/errors.md. */
export const UNDECIDED = {
  ...MESSAGE_ERRORS,
  unusable_target: errorRow(400, -32602, 'The call must name what it is about, in printable characters'),
} as const;

/** A message that different readers could take for different ones, or that is none. */
export class MessageError extends Error {
  override readonly name = 'MessageError';
  readonly reason: keyof typeof UNDECIDED;

  constructor(reason: keyof typeof UNDECIDED) {
    super(UNDECIDED[reason].message);
    this.reason = reason;
  }
}

/** A JSON-RPC error response to nobody in particular. */
export function rejectionFor(error: MessageError | BodyError): { status: number; body: string } {
  const reason = error instanceof MessageError ? error.reason : BODY_REASONS[error.status];
  const { status, code } = UNDECIDED[reason];
  return { status, body: errorResponse(undefined, { code, message: error.message, data: { reason } }) };
}
