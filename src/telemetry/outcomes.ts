import { AuthError, type RefusalCode } from '../core/errors.js';
import { BodyError } from '../http/body.js';
import { BridgeError, type BridgeErrorCode } from '../messages/bridge-error.js';
import { BODY_REASONS } from '../messages/message-errors.js';
import { MessageError } from '../messages/message-refusal.js';
import type { CallOutcome } from './call-record.js';
import type { CallEnd } from './observed-call.js';

type MessageCode = BridgeErrorCode | MessageError['reason'];

/** The outcome of a call that this package, and not the MCP server, answers with an error. */
export const OUTCOMES: Readonly<Record<MessageCode, CallOutcome>> = Object.freeze({
  malformed_json: 'protocol_error',
  not_json_rpc: 'protocol_error',
  ambiguous_message: 'protocol_error',
  too_deep: 'protocol_error',
  too_many_messages: 'protocol_error',
  repeated_header: 'protocol_error',
  header_mismatch: 'protocol_error',
  unusable_body: 'protocol_error',
  unusable_target: 'protocol_error',
  unsupported_media_type: 'protocol_error',
  body_too_large: 'protocol_error',
  body_too_slow: 'protocol_error',
  batch_not_supported: 'protocol_error',
  id_in_flight: 'protocol_error',
  already_initialized: 'protocol_error',
  method_not_allowed: 'protocol_error',
  not_acceptable: 'protocol_error',
  missing_session: 'protocol_error',
  unknown_session: 'protocol_error',
  unsupported_version: 'protocol_error',
  legacy_server: 'protocol_error',
  unsupported_protocol_version: 'protocol_error',
  invalid_meta: 'protocol_error',
  events_gone: 'protocol_error',
  foreign_host: 'denied',
  foreign_origin: 'denied',
  anonymous_refused: 'denied',
  too_many_bodies: 'limited',
  too_many_sessions: 'limited',
  too_many_sessions_of_user: 'limited',
  too_many_sessions_of_anonymous: 'limited',
  too_many_pending: 'limited',
  limit_exceeded: 'limited',
  closing: 'cancelled',
  session_ended: 'cancelled',
  cancelled: 'cancelled',
  request_timed_out: 'timed_out',
  start_timed_out: 'timed_out',
  target_timed_out: 'timed_out',
  // Faults of the application, because of which the call does not reach the MCP server.
  body_already_read: 'target_failed',
  environment_failed: 'target_failed',
  caller_headers_failed: 'target_failed',
  // A fault of the application: in most cases the call was made, but its answer does not reach the client.
  answer_failed: 'target_failed',
  child_not_started: 'target_failed',
  child_exited: 'target_failed',
  message_too_large: 'target_failed',
  too_many_items: 'target_failed',
  unreadable_answer: 'target_failed',
  initialize_refused: 'target_failed',
  target_unreachable: 'target_failed',
  target_redirected: 'target_failed',
  target_refused: 'target_failed',
  target_failed: 'target_failed',
  target_malformed: 'target_failed',
  target_broke_off: 'target_failed',
});

/** Returns the end of a call that is answered with the error `code`, whose message has `bytes` bytes. */
export function endOfRefusal(code: MessageCode, bytes?: number): CallEnd {
  return { outcome: OUTCOMES[code], code, bytes };
}

/** Returns the end of a call whose caller's token is no longer accepted. */
export function endOfWithdrawal(code: RefusalCode): CallEnd {
  return { outcome: 'denied', code };
}

/** Returns the end of a call whose HTTP request failed with `error`. */
export function endOfError(error: unknown): CallEnd {
  if (error instanceof AuthError) return { outcome: 'denied', code: error.code };
  if (error instanceof BodyError) return endOfRefusal(BODY_REASONS[error.status]);
  if (error instanceof BridgeError) return endOfRefusal(error.reason, Buffer.byteLength(error.body()));
  if (error instanceof MessageError) return endOfRefusal(error.reason);
  // Any other error comes from the application, which answers it.
  return { outcome: 'target_failed' };
}
