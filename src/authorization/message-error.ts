import type { BodyError } from '../http/body.js';
import { MESSAGE_ERRORS } from '../messages/message-errors.js';

/** Why a body is not decided on. Each key has a heading in docs/errors.md. */
export const UNDECIDED = {
  ...MESSAGE_ERRORS,
  unusable_target: {
    status: 400,
    code: -32602,
    message: 'The call must name what it is about, in printable characters',
  },
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
export interface RejectedBody {
  readonly status: number;
  readonly body: string;
}

/** The names that the bridge has for the same. */
const BODY_REASONS = { 400: 'unusable_body', 413: 'body_too_large', 415: 'unsupported_media_type' } as const;

export function rejectionFor(error: MessageError | BodyError): RejectedBody {
  const isMessage = error instanceof MessageError;
  const { status, code } = isMessage ? UNDECIDED[error.reason] : { status: error.status, code: -32600 };
  const reason = isMessage ? error.reason : BODY_REASONS[error.status];
  const body = { jsonrpc: '2.0', id: null, error: { code, message: error.message, data: { reason } } };
  return { status, body: JSON.stringify(body) };
}
