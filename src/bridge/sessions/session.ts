import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { AuthInfo } from '../../core/auth-info.js';
import type { Principal } from '../../core/principal.js';
import { LatestToken, withdrawalOf } from '../../core/token-validity.js';
import { BRIDGE_ERRORS, BridgeError, type BridgeErrorCode } from '../../messages/bridge-error.js';
import { readChildLine } from '../../messages/child-line.js';
import { memberOf, textOf } from '../../messages/json-members.js';
import {
  type ClientMessage,
  cancellation,
  keyInParams,
  membersAt,
  type RpcMessage,
  readTruncated,
  requestTooLarge,
} from '../../messages/json-rpc.js';
import { metaOf } from '../../messages/revision.js';
import type { Connection, ConnectionListener, Sender } from '../../targets/connection.js';
import type { LeasedConnection } from '../../targets/leased-connections.js';
import type { SlowReaders } from '../../targets/slow-readers.js';
import type { ObservedCall } from '../../telemetry/observed-call.js';
import { endOfRefusal, endOfWithdrawal } from '../../telemetry/outcomes.js';
import { type PendingRequest, PendingRequests } from '../answers/pending-requests.js';
import type { PostResponse } from '../answers/post-response.js';
import { SessionStreams } from '../answers/session-streams.js';
import { writeCall } from '../answers/write-call.js';
import { type LiveSession, type SessionCaller, sessionCallerOf } from '../backend-facts.js';
import type { ResolvedBridge } from '../bridge-options.js';
import { sessionRecipientOf } from './session-recipient.js';

const FIRST_REVISION_WITH_INITIAL_EVENT = '2025-11-25';
// The time in which a client must read something, or it is disconnected. It can resume an event stream; a JSON answer is lost.
const MAX_QUIET_MS = 60_000;

/** One client's conversation with one MCP server, in a revision that has sessions (before 2026-07-28). */
export class Session implements ConnectionListener, LiveSession {
  readonly id: string;
  readonly caller: SessionCaller;
  readonly openedAt = Date.now();
  readonly principal: Principal;
  /** The revision in the server's answer to `initialize`; empty until then. */
  revision = '';
  readonly latestToken: LatestToken;
  /** The time at which a client last used the session. Messages that the server sends unasked do not keep it alive. */
  lastUsed = performance.now();
  /** The number of requests whose bodies are still arriving. */
  arriving = 0;
  readonly streams = new SessionStreams(() => this.revision >= FIRST_REVISION_WITH_INITIAL_EVENT);
  readonly #connection: Connection;
  readonly #slowReaders: SlowReaders;
  readonly #onEnd: () => void;
  /** Each request is answered on the POST that carried it. */
  readonly #pending: PendingRequests<PendingRequest & { readonly recipient: PostResponse }>;
  #hasEnded = false;

  /** `onEnd` is called once, when the session is over. */
  constructor(
    { principal, auth }: { readonly principal: Principal; readonly auth: AuthInfo | undefined },
    { connection, slowReaders }: Omit<LeasedConnection, 'lease'>,
    { replica, maxPendingRequests }: Pick<ResolvedBridge, 'replica' | 'maxPendingRequests'>,
    onEnd: () => void,
  ) {
    this.id = replica === undefined ? randomUUID() : `${replica}.${randomUUID()}`;
    this.latestToken = new LatestToken(auth);
    this.principal = principal;
    this.caller = sessionCallerOf(auth);
    this.#connection = connection;
    this.#slowReaders = slowReaders;
    this.#onEnd = onEnd;
    this.#pending = new PendingRequests(maxPendingRequests);
    connection.listen(this);
  }

  /** True once the server has answered `initialize`. */
  get isInitialized(): boolean {
    return this.revision !== '';
  }

  get pending(): number {
    return this.#pending.count;
  }

  /** True if a message of the client is on its way, or has no answer yet. */
  get hasCalls(): boolean {
    return this.pending > 0 || this.#isReceiving;
  }

  get #isReceiving(): boolean {
    return this.arriving > 0 || !this.#connection.waiters.isEmpty;
  }

  /** True if a client is connected and waits for something. */
  get isInUse(): boolean {
    if (this.#isReceiving || this.streams.standalone.connected) return true;
    return this.#pending.values().some(({ recipient }) => recipient.connected);
  }

  /** Refuses requests if the session has ended, a limit is reached or an id is in flight. Call it before any message of a batch is sent. */
  requireRoom(requests: readonly ClientMessage[]): void {
    if (this.#hasEnded) throw new BridgeError('unknown_session');
    this.#pending.requireRoom(requests);
  }

  /** Sends an accepted request to the server, as `bytes`; `recipient` gets the response. */
  request(message: ClientMessage, recipient: PostResponse, bytes: Buffer, call: ObservedCall | undefined): void {
    this.lastUsed = performance.now();
    const { id = 'null', key = id } = message;
    this.#pending.add(key, { id, token: metaOf(message)?.progressToken, recipient, since: this.lastUsed, call });
    writeCall(this.#connection, bytes, recipient, call);
  }

  /** Sends a notification or a response to the server, as `bytes`; `sender` is its caller. */
  send(message: ClientMessage, bytes: Buffer, sender: Sender): void {
    this.lastUsed = performance.now();
    this.#connection.write(bytes, sender);
    if (message.method === 'notifications/cancelled') this.#cancel(message);
  }

  /** See `Connection.whenWritable()`. */
  whenWritable(since: number, bytes: number): Promise<void> | undefined {
    return this.#connection.whenWritable(since, bytes);
  }

  /** Stops reading from the server until `res` has drained. */
  pauseFor(res: ServerResponse): void {
    this.#slowReaders.pauseFor(res, MAX_QUIET_MS);
  }

  message(bytes: Buffer, message = readChildLine(bytes), about?: readonly string[]): void {
    if (message === undefined) this.#failUnreadable(bytes);
    else if (message.kind !== 'response') this.#route(message, about);
    else {
      // A response to an unknown id is ignored. One without an id can only be an error about `initialize` (JSON-RPC 2.0, section 5.1).
      const opens =
        !this.isInitialized && (message.key === undefined || this.#pending.meantBy(message.key) !== undefined);
      const isRefused = opens && !this.#readRevision(message);
      this.#pending.settle(message);
      if (isRefused) this.end('session_ended');
    }
  }

  oversized(head: Buffer, tail: Buffer): void {
    const message = readTruncated(head, tail);
    // Without an answer, the server would wait for it forever.
    if (message.kind === 'request') this.#connection.write(requestTooLarge(message.id ?? 'null'));
    if (message.kind !== 'response') return;
    // Without the answer to `initialize`, no client knows the session.
    if (!this.isInitialized) this.end('message_too_large');
    else this.#pending.failOversized(message.key);
  }

  gone(reason: BridgeErrorCode): void {
    this.end(reason);
  }

  /** True if the server has not answered `initialize` within `ms`. */
  isLate(now: number, ms: number): boolean {
    return !this.isInitialized && this.#pending.values().some(({ since }) => now - since >= ms);
  }

  /** Called every second, for timeouts, keep-alive comments and tokens that are over. Returns true if a request has timed out. */
  tick(now: number, keepAlive: boolean, timeoutMs: number): boolean {
    this.streams.tick(now, keepAlive);
    this.#endUnwanted();
    const late = this.#pending.tick(now, keepAlive, timeoutMs);
    for (const [key, { id }] of late) {
      if (!this.isInitialized) this.end('request_timed_out');
      else {
        this.#connection.write(cancellation(id, 'timed out'));
        this.#pending.fail(key, 'request_timed_out');
      }
    }
    return late.length > 0;
  }

  /**
   * Refuses requests whose token was withdrawn, except those answered by a stream that a new token can resume: it ends by itself. Cancels
   * those that another middleware has answered. A client that only hung up may come back for its answer.
   */
  #endUnwanted(): void {
    for (const [key, { id, recipient }] of this.#pending.entries()) {
      if (recipient.isReplaced) {
        this.#pending.drop(key, endOfRefusal('request_timed_out'));
        this.#connection.write(cancellation(id, 'timed out'));
        continue;
      }
      const withdrawal = recipient.endsWithToken ? undefined : withdrawalOf(recipient.auth);
      if (withdrawal === undefined) continue;
      if (recipient.isStreaming) recipient.finish();
      else recipient.refuse(withdrawal);
      if (!this.isInitialized) this.end('session_ended');
      else if (this.#pending.drop(key, endOfWithdrawal(withdrawal)) !== undefined)
        this.#connection.write(cancellation(id, 'token withdrawn'));
    }
  }

  /** Ends a session whose server did not start within `seconds`. */
  endLate(seconds: number): void {
    this.#connection.logLateStart(seconds);
    this.end('start_timed_out');
  }

  /** Ends the session and its connection; requests in flight are answered at once. */
  end(reason: BridgeErrorCode): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    // Until `initialize` is answered there is no session, so the client gets the status of the error and not 200.
    this.#pending.failAll(reason, this.isInitialized ? undefined : BRIDGE_ERRORS[reason].status);
    this.streams.standalone.end();
    this.#onEnd();
    void this.#connection.stop();
  }

  endNow(): void {
    this.end('session_ended');
  }

  #failUnreadable(bytes: Buffer): void {
    this.#connection.logUnreadable(bytes);
    const keys = this.#pending.answeredBy(bytes);
    if (!this.isInitialized && keys.length > 0) this.end('unreadable_answer');
    else for (const key of keys) this.#pending.fail(key, 'unreadable_answer');
  }

  // The first response is that to `initialize`: before it, no client knows the session's id, so there is no other request.
  #readRevision(message: RpcMessage): boolean {
    const version = memberOf(membersAt(message, 'result'), 'protocolVersion');
    this.revision = version === undefined ? '' : textOf(message.bytes, version).slice(1, -1);
    const call = this.#pending.get(this.#pending.meantBy(message.key))?.call;
    if (call !== undefined && this.isInitialized) call.session = this.id;
    return this.isInitialized;
  }

  #cancel(message: ClientMessage): void {
    const key = keyInParams(message, 'requestId');
    // A server need not answer a cancelled request (2025-11-25, cancellation), but the POST must end.
    if (this.#pending.get(key) === undefined) return;
    if (!this.isInitialized) this.end('cancelled');
    else if (key !== undefined) this.#pending.fail(key, 'cancelled');
  }

  #route(message: RpcMessage, about: readonly string[] | undefined): void {
    const recipient = sessionRecipientOf(message, this.#pending, this.streams.standalone.connected, about);
    if (recipient !== undefined) recipient[message.kind === 'request' ? 'ask' : 'notify'](message.bytes);
    else {
      const slow = this.streams.standalone.send(message.bytes);
      if (slow) this.pauseFor(slow);
    }
  }
}
