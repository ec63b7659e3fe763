import { errorResponse, MESSAGE_ERRORS } from './message-errors.js';

interface BridgeRefusal {
  /** HTTP status of a request that has not reached the child; the error of one that has is its answer, and comes with 200. */
  readonly status: number;
  /** JSON-RPC error code. */
  readonly code: number;
  /** Public and constant, except for what `detail` adds. */
  readonly message: string;
}

/** Every way in which the bridge itself answers with an error. Each key has a heading in docs/errors.md. */
export const BRIDGE_ERRORS = {
  ...MESSAGE_ERRORS,
  batch_not_supported: {
    status: 400,
    code: -32600,
    message: 'The protocol revision of this session has no JSON-RPC batches',
  },
  id_in_flight: { status: 400, code: -32600, message: 'A request with this id is already in flight in this session' },
  already_initialized: { status: 400, code: -32600, message: 'This session is already initialized' },
  method_not_allowed: { status: 405, code: -32000, message: 'Method not allowed' },
  not_acceptable: {
    status: 406,
    code: -32000,
    message: 'The Accept header must list application/json and text/event-stream',
  },
  missing_session: {
    status: 400,
    code: -32000,
    message: 'The Mcp-Session-Id header is missing; open a session with initialize',
  },
  unknown_session: { status: 404, code: -32001, message: 'Session not found' },
  unsupported_version: {
    status: 400,
    code: -32000,
    message: 'The MCP-Protocol-Version header names no known revision',
  },
  legacy_server: {
    status: 400,
    code: -32000,
    message: 'The server speaks revisions before 2026-07-28 only; open a session with initialize',
  },
  unsupported_protocol_version: { status: 400, code: -32022, message: 'Unsupported protocol version' },
  invalid_meta: { status: 400, code: -32602, message: 'Invalid _meta' },
  events_gone: { status: 400, code: -32000, message: 'The events after Last-Event-ID are no longer kept' },
  foreign_host: {
    status: 403,
    code: -32000,
    message: 'The Host header is not allowed here; see the option allowedHosts of mcpStdioBackend()',
  },
  foreign_origin: {
    status: 403,
    code: -32000,
    message: 'The Origin header is not allowed here; see the option allowedOrigins of mcpStdioBackend()',
  },
  too_many_sessions: { status: 503, code: -32000, message: 'Too many sessions are open (maxSessions)' },
  too_many_sessions_of_user: {
    status: 429,
    code: -32000,
    message: 'Too many sessions of one user are open (maxSessionsPerUser)',
  },
  too_many_pending: {
    status: 429,
    code: -32000,
    message: 'Too many requests are in flight in this session (maxPendingRequests)',
  },
  closing: { status: 503, code: -32000, message: 'The server is shutting down' },
  child_not_started: { status: 502, code: -32603, message: 'The MCP server did not start' },
  child_exited: { status: 502, code: -32603, message: 'The MCP server exited before it answered' },
  session_ended: { status: 404, code: -32001, message: 'The session ended before the request was answered' },
  request_timed_out: {
    status: 504,
    code: -32603,
    message: 'The MCP server did not answer in time (requestTimeoutSeconds)',
  },
  message_too_large: {
    status: 502,
    code: -32603,
    message: 'The answer of the MCP server is over the limit (maxMessageBytes)',
  },
  cancelled: { status: 200, code: -32800, message: 'The request was cancelled' },
} as const satisfies Record<string, BridgeRefusal>;

/** A key of {@link BRIDGE_ERRORS}. */
export type BridgeErrorCode = keyof typeof BRIDGE_ERRORS;

/** What the bridge itself has to say instead of the child: answered as a JSON-RPC error, never passed to `next(error)`. */
export class BridgeError extends Error {
  override readonly name = 'BridgeError';
  readonly reason: BridgeErrorCode;
  readonly status: number;
  /** The id of the request it answers, as written in the body; `undefined` where there is none. */
  readonly id: string | undefined;
  readonly data: Readonly<Record<string, unknown>>;

  constructor(
    reason: BridgeErrorCode,
    about: { id?: string | undefined; detail?: string; data?: Readonly<Record<string, unknown>> } = {},
  ) {
    super(
      about.detail === undefined ? BRIDGE_ERRORS[reason].message : `${BRIDGE_ERRORS[reason].message}: ${about.detail}`,
    );
    this.reason = reason;
    this.status = BRIDGE_ERRORS[reason].status;
    this.id = about.id;
    this.data = about.data ?? {};
  }

  /** The JSON-RPC error response that answers the request `id`. */
  body(id: string | undefined = this.id): string {
    const { code } = BRIDGE_ERRORS[this.reason];
    return errorResponse(id, { code, message: this.message, data: { ...this.data, reason: this.reason } });
  }
}
