import type { AuthInfo } from '../core/auth-info.js';
import type { Caller } from '../core/quota.js';
import type { BridgeErrorCode } from '../messages/bridge-error.js';
import type { RpcMessage } from '../messages/json-rpc.js';
import type { TraceCarrier } from '../telemetry/call-tracer.js';
import type { ObservedCall } from '../telemetry/observed-call.js';
import type { Waiters } from './waiters.js';

/** Receives the messages of a connection, and its end. */
export interface ConnectionListener {
  /**
   * One message. The bytes may be a view of a larger chunk: copy them to keep them. They contain no line end. `read` is the same
   * message if it has been read already: reading a long one costs more than anything else here. `about` has the keys (`keyOf`) of the
   * requests that a notification or a request can belong to; undefined if it can belong to any.
   */
  message(bytes: Buffer, read?: RpcMessage, about?: readonly string[]): void;
  /** A message over the limit was dropped; `head` and `tail` are its beginning and its end. */
  oversized(head: Buffer, tail: Buffer): void;
  /** The request with this key (`keyOf`) has no answer. Left out: `message()` gets an error in the place of the answer. */
  failed?(key: string, reason: BridgeErrorCode): void;
  /** Called last: the connection is gone and ends itself, or was never made. `reason` is the error for the requests in flight. */
  gone(reason: BridgeErrorCode): void;
}

/** The caller who sent a message, and the part of the message that only HTTP carries. */
export interface Sender {
  readonly auth: AuthInfo | undefined;
  /** The headers that repeat parameters of a tool (2026-07-28): names and values, alternating. */
  readonly parameters?: readonly string[];
  /** The revision without sessions that the HTTP header names (2026-07-28): notifications need not name one in their `_meta`. */
  readonly revision?: string | undefined;
  /** The id of the HTTP request, if remote servers get it. */
  readonly requestId?: string | undefined;
  /** The record of the call that the message is; undefined if nothing listens for it. */
  readonly call?: ObservedCall | undefined;
  /** The trace that the message belongs to, if it differs from that of the client. */
  readonly trace?: TraceCarrier | undefined;
}

/** The target of a connection. */
export interface SingleTarget {
  /** Undefined if the backend has no names for its targets. */
  readonly name: string | undefined;
}

/** A conversation with an MCP server, message by message: a child process, a remote session, or several of them as one. */
export interface Connection {
  /** The target that gets every message. Left out: there are several, and each message has its own. */
  readonly target?: SingleTarget;
  /** False once the connection is gone. */
  readonly isAlive: boolean;
  /** Resolves when nothing of the connection is left. */
  readonly ended: Promise<void>;
  /** True while the bridge asks which revisions the server speaks. Its other output is then logged at debug. */
  isProbed: boolean;
  /** The requests that wait until the server reads on, or until it has answered the bridge's own requests. */
  readonly waiters: Waiters;
  /** Starts to read messages. Until then they wait. */
  listen(listener: ConnectionListener): void;
  /**
   * Sends one message. Await `whenWritable()` before: the server may be slow to read. `sender` is for connections over HTTP; without it, the
   * sender of the last message counts.
   */
  write(message: Buffer, sender?: Sender): void;
  /**
   * Returns undefined if the server can take one more message, else a promise that resolves when it has read on, or is gone. Call it
   * again after that: another request may have been faster. `bytes` is the size of the body that waits.
   *
   * @throws {BridgeError} As a rejection: `too_many_pending` if too many requests or bytes wait, `request_timed_out` if it waits too long after `since`.
   */
  whenWritable(since: number, bytes?: number): Promise<void> | undefined;
  /** The cursor with which `tools/list` lists only the tools of the target that has `tool`; undefined if there is one target. */
  cursorFor?(tool: string): string | undefined;
  /** Stops reading from the server, because a client is slow to read what it sends. */
  pause(): void;
  /** Reads on after `pause()`. */
  resume(): void;
  /** Logs what the server sent in place of a message. */
  logUnreadable(bytes: Buffer): void;
  /** Logs that the server did not start within `seconds`. */
  logLateStart(seconds: number): void;
  /** Ends the connection and everything that it started; resolves when nothing is left. */
  stop(): Promise<void>;
}

/** Opens connections to one target, or to several targets as one. */
export interface ConnectionSource {
  /** The number of connections that are open, including those that were opened ahead. */
  readonly size: number;
  /** Opens a connection for this caller. Throws if it cannot be started at all; a later failure is reported with `gone()`. */
  open(caller: Caller): Connection;
  /** Ends every connection; resolves when none is left. */
  close(): Promise<void>;
}
