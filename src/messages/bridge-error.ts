import { errorResponse, errorRow, MESSAGE_ERRORS } from './message-errors.js';

/**
 * The errors that the bridge itself answers with. `status` applies if the request has not reached the child. If it has, the error is
 * the answer to it, with status 200. Each key has a heading in docs/errors.md.
 */
export const BRIDGE_ERRORS = {
  ...MESSAGE_ERRORS,
  batch_not_supported: errorRow(400, -32600, 'The protocol revision of this session has no JSON-RPC batches'),
  id_in_flight: errorRow(400, -32600, 'A request with this id is already in flight in this session'),
  already_initialized: errorRow(400, -32600, 'This session is already initialized'),
  method_not_allowed: errorRow(405, -32000, 'Method not allowed'),
  not_acceptable: errorRow(406, -32000, 'The Accept header must list application/json and text/event-stream'),
  missing_session: errorRow(400, -32000, 'The Mcp-Session-Id header is missing; open a session with initialize'),
  unknown_session: errorRow(404, -32001, 'Session not found'),
  unsupported_version: errorRow(400, -32000, 'The MCP-Protocol-Version header names no known revision'),
  legacy_server: errorRow(
    400,
    -32000,
    'The server supports only revisions before 2026-07-28; open a session with initialize',
  ),
  unsupported_protocol_version: errorRow(400, -32022, 'Unsupported protocol version'),
  invalid_meta: errorRow(400, -32602, 'Invalid _meta'),
  events_gone: errorRow(400, -32000, 'The events after Last-Event-ID are no longer kept'),
  foreign_host: errorRow(403, -32000, 'The Host header is not allowed here'),
  foreign_origin: errorRow(403, -32000, 'The Origin header is not allowed here'),
  too_many_sessions: errorRow(503, -32000, 'Too many sessions are open (maxSessions)'),
  too_many_sessions_of_user: errorRow(429, -32000, 'Too many sessions of one user are open (maxSessionsPerUser)'),
  too_many_sessions_of_anonymous: errorRow(
    503,
    -32000,
    'Too many sessions of anonymous callers are open (maxAnonymousSessions)',
  ),
  anonymous_refused: errorRow(
    403,
    -32000,
    'Requests without a session are not served to anonymous callers (anonymousRequests)',
  ),
  too_many_pending: errorRow(429, -32000, 'Too many requests are in flight (maxPendingRequests)'),
  closing: errorRow(503, -32000, 'The server is shutting down'),
  child_not_started: errorRow(502, -32603, 'The MCP server did not start'),
  environment_failed: errorRow(503, -32603, 'The environment of the MCP server could not be made'),
  child_exited: errorRow(502, -32603, 'The MCP server exited before it answered'),
  session_ended: errorRow(404, -32001, 'The session ended before the request was answered'),
  request_timed_out: errorRow(504, -32603, 'The MCP server did not answer in time (requestTimeoutSeconds)'),
  message_too_large: errorRow(502, -32603, 'The answer of the MCP server is over the limit (maxMessageBytes)'),
  too_many_items: errorRow(502, -32603, 'The answer of the MCP server has too many entries or links'),
  unreadable_answer: errorRow(502, -32603, 'The answer of the MCP server is not a JSON-RPC 2.0 message'),
  initialize_refused: errorRow(502, -32603, 'The MCP server refused initialize'),
  start_timed_out: errorRow(504, -32603, 'The MCP server did not start in time (startTimeoutSeconds)'),
  target_unreachable: errorRow(502, -32603, 'The MCP server cannot be reached'),
  target_timed_out: errorRow(504, -32603, 'The MCP server did not answer in time (responseTimeoutSeconds)'),
  target_redirected: errorRow(502, -32603, 'The MCP server redirects to another address'),
  target_refused: errorRow(
    502,
    -32603,
    'The MCP server does not accept the credentials or the Host header of this server',
  ),
  target_failed: errorRow(502, -32603, 'The MCP server failed'),
  target_malformed: errorRow(502, -32603, 'The answer of the MCP server cannot be forwarded'),
  target_broke_off: errorRow(502, -32603, 'The connection to the MCP server broke'),
  caller_headers_failed: errorRow(502, -32603, 'The headers that tell the MCP server who is calling could not be made'),
  answer_failed: errorRow(500, -32603, 'The answer could not be written'),
  limit_exceeded: errorRow(429, -32000, 'Too many requests (mcpLimits)'),
  cancelled: errorRow(200, -32800, 'The request was cancelled'),
} as const;

/** A key of {@link BRIDGE_ERRORS}. */
export type BridgeErrorCode = keyof typeof BRIDGE_ERRORS;

/** An error that the bridge answers with instead of the child. It is sent as a JSON-RPC error, never passed to `next(error)`. */
export class BridgeError extends Error {
  override readonly name = 'BridgeError';
  readonly reason: BridgeErrorCode;
  readonly status: number;
  /** The id of the request, as written in the body; `undefined` if it has none. */
  readonly id: string | undefined;
  readonly data: Readonly<Record<string, unknown>>;
  /** Sent as `Retry-After`. `null`: none is sent. `undefined`: the default of the status. */
  readonly retryAfterSeconds: number | null | undefined;
  /** Details for the log. The client does not get them. */
  readonly evidence: string | undefined;

  constructor(
    reason: BridgeErrorCode,
    about: {
      id?: string | undefined;
      detail?: string;
      data?: Readonly<Record<string, unknown>>;
      retryAfterSeconds?: number | null | undefined;
      evidence?: string | undefined;
    } = {},
  ) {
    const { status, message } = BRIDGE_ERRORS[reason];
    super(about.detail === undefined ? message : `${message}: ${about.detail}`);
    this.reason = reason;
    this.status = status;
    this.id = about.id;
    this.data = about.data ?? {};
    this.retryAfterSeconds = about.retryAfterSeconds;
    this.evidence = about.evidence;
  }

  /** Returns the same error as the answer to the request `id`, unless it is about another request already. */
  withId(id: string | undefined): BridgeError {
    const { reason, data, retryAfterSeconds, evidence } = this;
    return new BridgeError(reason, { id: this.id ?? id, data, retryAfterSeconds, evidence });
  }

  /** Builds the JSON-RPC error response for the request `id`. */
  body(id: string | undefined = this.id): string {
    const { code } = BRIDGE_ERRORS[this.reason];
    return errorResponse(id, { code, message: this.message, data: { ...this.data, reason: this.reason } });
  }

  /** Builds the same body as a message that takes the place of the MCP server's response. {@link reasonOf} recognizes it. */
  response(id: string | undefined = this.id): Buffer {
    const bytes = Buffer.from(this.body(id));
    reasons.set(bytes, this.reason);
    return bytes;
  }
}

const reasons = new WeakMap<Buffer, BridgeErrorCode>();

/** Returns the reason of an error response that {@link BridgeError.response} built; undefined for any other message. */
export function reasonOf(response: Buffer): BridgeErrorCode | undefined {
  return reasons.get(response);
}
