import type { ServerResponse } from 'node:http';
import type { AuthInfo } from '../../core/auth-info.js';
import { isExpiredOrWithdrawn, LatestToken, withdrawalOf } from '../../core/token-validity.js';
import { BridgeError, type BridgeErrorCode, reasonOf } from '../../messages/bridge-error.js';
import { readChildLine } from '../../messages/child-line.js';
import { applyEdits, memberOf, textOf } from '../../messages/json-members.js';
import {
  type ClientMessage,
  cancellation,
  emptyResult,
  keyOf,
  membersAt,
  methodNotFound,
  type RpcMessage,
  readTruncated,
  requestTooLarge,
} from '../../messages/json-rpc.js';
import type { MetaRule } from '../../messages/meta-edit.js';
import { metaOf } from '../../messages/revision.js';
import type { Connection, ConnectionListener, Sender } from '../../targets/connection.js';
import type { ObservedCall } from '../../telemetry/observed-call.js';
import { endOfRefusal, endOfWithdrawal } from '../../telemetry/outcomes.js';
import { PendingRequests } from '../answers/pending-requests.js';
import type { Recipient } from '../answers/post-response.js';
import { writeCall } from '../answers/write-call.js';
import { requestEdits, routeNotification, type StatelessRequest } from './notification-routing.js';
import { ToolHeaders } from './tool-headers.js';

const LOG_LEVEL_KEY = 'io.modelcontextprotocol/logLevel';

/** The settings of a connection without a session. */
export interface StatelessSetup {
  /** The caller for whom it is opened. */
  readonly auth: AuthInfo | undefined;
  readonly maxPending: number;
  /** The HTTP status of a response; 200 if left out. */
  readonly statusOf: ((response: RpcMessage) => number) | undefined;
  /** Stops reading from the server until `res` has drained. */
  readonly pauseFor: (res: ServerResponse) => void;
  onGone(): void;
}

/**
 * A connection that serves requests without a session: all those of one principal, or one request of an anonymous caller.
 * Two requests may have equal ids and progress tokens, so the bridge replaces them with numbers of its own on the way to the server,
 * and puts the client's back into what the server sends.
 */
export class StatelessConnection implements ConnectionListener {
  lastUsed = performance.now();
  readonly latestToken: LatestToken;
  /** True if the server ever answered: an error of the bridge in its place does not count. */
  hasAnswered = false;
  /** True if the server ever answered a client. A connection that never did is opened again only when another request needs it. */
  hasServedClient = false;
  /** The reason why it answers no more requests; undefined while it answers them. */
  closeReason: BridgeErrorCode | undefined;
  readonly toolHeaders = new ToolHeaders(this);
  readonly pauseFor: StatelessSetup['pauseFor'];
  readonly #connection: Connection;
  readonly #statusOf: StatelessSetup['statusOf'];
  readonly #onGone: () => void;
  readonly #pending: PendingRequests<StatelessRequest>;
  #count = 0;
  #hasStarted = false;

  constructor(connection: Connection, { auth, maxPending, statusOf, pauseFor, onGone }: StatelessSetup) {
    this.latestToken = new LatestToken(auth);
    this.#connection = connection;
    this.#pending = new PendingRequests(maxPending);
    this.#statusOf = statusOf;
    this.pauseFor = pauseFor;
    this.#onGone = onGone;
    connection.listen(this);
  }

  get pending(): number {
    return this.#pending.count;
  }

  /** True if a client or the bridge waits for its answer. */
  get isInUse(): boolean {
    return !this.#pending.isEmpty || !this.#connection.waiters.isEmpty;
  }

  /** See `Connection.whenWritable()`. */
  whenWritable(since: number, bytes: number): Promise<void> | undefined {
    return this.#connection.whenWritable(since, bytes);
  }

  /** See `Connection.cursorFor()`. */
  cursorFor(tool: string): string | undefined {
    return this.#connection.cursorFor?.(tool);
  }

  /** Counts a client's request as waiting for as long as `work` takes; see `Waiters.count()`. */
  countWaiting<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    return this.#connection.waiters.count(bytes, work);
  }

  /** Refuses requests if the connection is gone or a limit is reached. The caller must then call `request()` before it awaits anything. */
  requireRoom(requests: readonly ClientMessage[]): void {
    if (this.closeReason !== undefined) throw new BridgeError(this.closeReason, { id: requests[0]?.id });
    // Their own ids may be equal, and are not used.
    this.#pending.requireRoom(requests.map(({ id }, index) => ({ id, key: `new ${index}` })));
  }

  /** Sends an accepted request to the server, with its `_meta` changed as `rule` says; returns the key for `cancel()`. */
  request(
    message: ClientMessage,
    recipient: Recipient,
    rule: MetaRule | undefined,
    call: ObservedCall | undefined,
  ): string {
    const key = `${++this.#count}`;
    const { bytes, id = 'null', method } = message;
    this.lastUsed = performance.now();
    this.latestToken.renew(recipient.auth);
    const token = memberOf(membersAt(message, 'params', '_meta'), 'progressToken');
    const listens = method === 'subscriptions/listen';
    this.#pending.add(key, {
      id,
      clientToken: token && textOf(bytes, token),
      recipient,
      listens,
      logs: !listens && metaOf(message)?.[LOG_LEVEL_KEY] !== undefined,
      since: this.lastUsed,
      call,
    });
    writeCall(this.#connection, applyEdits(bytes, requestEdits(message, key, token, rule)), recipient, call);
    return key;
  }

  /** Sends a request of the bridge itself; returns the key for `cancel()`. */
  sendInternal(method: string, params: string, recipient: Recipient): string {
    const key = `${++this.#count}`;
    if (this.closeReason !== undefined) {
      recipient.respond(new BridgeError(this.closeReason, { id: key }).response());
      return key;
    }
    this.#pending.add(key, { id: key, recipient, isInternal: true, since: performance.now() });
    this.#connection.write(Buffer.from(`{"jsonrpc":"2.0","id":${key},"method":"${method}","params":${params}}`));
    return key;
  }

  /** Sends a notification to the server; `sender` is its caller, and undefined for one of the bridge itself. */
  notify(bytes: Buffer, sender?: Sender): void {
    this.lastUsed = performance.now();
    this.#connection.write(bytes, sender);
  }

  /** Cancels a request at the server, because no client waits for it any more. Its call ends as `end` says. */
  cancel(key: string, end = endOfRefusal('cancelled')): void {
    if (this.#pending.drop(key, end) !== undefined) this.#connection.write(cancellation(key));
  }

  /** Ends the subscriptions, unless another request of a client is in flight. */
  endSubscriptions(): void {
    const requests = this.#pending.entries().filter(([, { isInternal }]) => !isInternal);
    if (!requests.every(([, { listens }]) => listens)) return;
    for (const [key] of requests) {
      this.#connection.write(cancellation(key));
      this.#pending.fail(key, 'closing');
    }
  }

  /** Cancels the request with this id (`keyOf`) of a client, if only one in flight has it. */
  cancelRequest(id: string | undefined): void {
    const [found, ...others] = this.#pending.entries().filter(([, request]) => keyOf(request.id) === id);
    if (found === undefined || others.length > 0) return;
    const [key] = found;
    this.#connection.write(cancellation(key));
    this.#pending.fail(key, 'cancelled');
  }

  message(bytes: Buffer, message = readChildLine(bytes), about?: readonly string[]): void {
    if (message === undefined) {
      this.#connection.logUnreadable(bytes);
      for (const key of this.#pending.answeredBy(bytes)) this.#pending.fail(key, 'unreadable_answer');
      return;
    }
    this.#hasStarted = true;
    if (message.kind === 'response') {
      const settled = this.#pending.settle(message, this.#statusOf?.(message));
      if (settled === undefined || this.hasServedClient || reasonOf(message.bytes) !== undefined) return;
      this.hasAnswered = true;
      this.hasServedClient = !settled.isInternal;
    } else if (message.kind === 'notification') this.#route(message, about);
    // These revisions have no requests to the client. Without a response, the server would wait forever.
    else this.#connection.write((message.method === 'ping' ? emptyResult : methodNotFound)(message.id ?? 'null'));
  }

  oversized(head: Buffer, tail: Buffer): void {
    const message = readTruncated(head, tail);
    if (message.kind === 'response') this.#pending.failOversized(message.key);
    else if (message.kind === 'request') this.#connection.write(requestTooLarge(message.id ?? 'null'));
  }

  gone(reason: BridgeErrorCode): void {
    this.#finish(reason);
    this.#onGone();
  }

  /** True if a client's request has waited for `ms` and the server has sent no message yet. */
  isLate(now: number, ms: number): boolean {
    return (
      !this.#hasStarted && this.#pending.values().some(({ since, isInternal }) => !isInternal && now - since >= ms)
    );
  }

  /** Called every second, for timeouts, keep-alive comments and tokens that are over. Returns true if a request has timed out. */
  tick(now: number, keepAlive: boolean, timeoutMs: number): boolean {
    this.#endUnauthorized();
    const late = this.#pending.tick(now, keepAlive, timeoutMs);
    for (const [key] of late) {
      this.#connection.write(cancellation(key));
      this.#pending.fail(key, 'request_timed_out');
    }
    return late.length > 0;
  }

  /** Ends requests whose token is over. Without a session no answer can be resumed, so the server may stop working on it too. */
  #endUnauthorized(): void {
    for (const [key, { recipient, listens }] of this.#pending.entries()) {
      const withdrawal = withdrawalOf(recipient.auth);
      const endsWithToken = recipient.endsWithToken || (listens && recipient.isStreaming);
      if (withdrawal === undefined && !(endsWithToken && isExpiredOrWithdrawn(recipient.auth))) continue;
      this.cancel(key, endOfWithdrawal(withdrawal ?? 'token_expired'));
      if (recipient.isStreaming || withdrawal === undefined) recipient.finish();
      else recipient.refuse(withdrawal);
    }
  }

  /** Answers the requests in flight and ends the connection. */
  async end(reason: BridgeErrorCode): Promise<void> {
    this.#finish(reason);
    await this.#connection.stop();
  }

  #finish(reason: BridgeErrorCode): void {
    this.closeReason ??= reason;
    this.#pending.failAll(reason);
  }

  #route(message: RpcMessage, about: readonly string[] | undefined): void {
    const { request, edits = [] } = routeNotification(message, this.#pending, about) ?? {};
    if (request === undefined) return;
    request.recipient.notify(applyEdits(message.bytes, edits));
    if (message.method === 'notifications/cancelled') request.recipient.finish();
  }
}
