import type { BodyError } from '../http/body.js';

/** Why a body is not decided on; the codes and words of JSON-RPC 2.0 and MCP. Each key has a heading in docs/errors.md. */
export const MESSAGE_ERRORS = {
  malformed_json: { status: 400, code: -32700, message: 'The body is not JSON' },
  not_json_rpc: { status: 400, code: -32600, message: 'The body is not a JSON-RPC 2.0 message' },
  ambiguous_message: {
    status: 400,
    code: -32600,
    message: 'The message has a member twice, or with other capitals than the protocol gives it',
  },
  unusable_target: {
    status: 400,
    code: -32602,
    message: 'The call must name what it is about, in printable characters',
  },
  header_mismatch: { status: 400, code: -32020, message: 'Header mismatch' },
} as const;

/** A message that different readers could take for different ones, or that is none. */
export class MessageError extends Error {
  override readonly name = 'MessageError';
  readonly reason: keyof typeof MESSAGE_ERRORS;

  constructor(reason: keyof typeof MESSAGE_ERRORS) {
    super(MESSAGE_ERRORS[reason].message);
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
  const { status, code } = isMessage ? MESSAGE_ERRORS[error.reason] : { status: error.status, code: -32600 };
  const reason = isMessage ? error.reason : BODY_REASONS[error.status];
  const body = { jsonrpc: '2.0', id: null, error: { code, message: error.message, data: { reason } } };
  return { status, body: JSON.stringify(body) };
}
