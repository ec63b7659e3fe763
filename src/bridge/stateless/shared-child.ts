import type { ServerResponse } from 'node:http';
import { BridgeError, type BridgeErrorCode } from '../../messages/bridge-error.js';
import { metaOf } from '../../messages/era.js';
import { applyEdits, type Edit, type Members, memberOf, textOf } from '../../messages/json-members.js';
import {
  type ClientMessage,
  cancellation,
  idOfTruncated,
  membersAt,
  methodNotFound,
  type RpcMessage,
  readMessage,
} from '../../messages/json-rpc.js';
import { type MetaRule, metaEdits } from '../../messages/meta-edit.js';
import { statusOf } from '../../messages/modern-status.js';
import { SUBSCRIPTION_KEY, subscriptionEdits, subscriptionEnd } from '../../messages/subscription.js';
import type { Child, ChildListener } from '../../targets/stdio/child.js';
import type { Recipient } from '../answers/answer.js';
import { ToolHeaders } from './tool-headers.js';

const LOG_LEVEL_KEY = 'io.modelcontextprotocol/logLevel';
// How long a client may take for what is sent to it: it holds up others who share the child.
const PATIENCE_MS = 10_000;

/** One request in flight, as its client wrote it. */
interface SharedCall {
  readonly id: string;
  readonly token: string | undefined;
  readonly answer: Recipient;
  readonly listens: boolean;
  readonly logs: boolean;
  /** Whether it is a request of ours: nobody out there waits for it. */
  readonly own: boolean;
  readonly since: number;
  readonly expiresAt: number;
}

/**
 * A child that serves all requests of one principal in a revision without sessions. Their ids and progress tokens may be equal, so
 * the child sees numbers of ours in their place, and the client its own in what comes back.
 */
export class SharedChild implements ChildListener {
  lastUsed = Date.now();
  expiresAt = 0;
  /** Whether it ever answered: one that never did is not started again uncalled. */
  answered = false;
  readonly toolHeaders = new ToolHeaders(this);
  readonly #child: Child;
  readonly #maxPending: number;
  readonly #onGone: (started: boolean) => void;
  readonly #calls = new Map<number, SharedCall>();
  #count = 0;
  #over: BridgeErrorCode | undefined;

  constructor(child: Child, maxPending: number, onGone: (started: boolean) => void) {
    this.#child = child;
    this.#maxPending = maxPending;
    this.#onGone = onGone;
    child.listen(this);
  }

  get pending(): number {
    let count = 0;
    for (const { own } of this.#calls.values()) if (!own) count++;
    return count;
  }

  /** Whether nobody waits for it: neither a client, nor we. */
  get idle(): boolean {
    return this.#calls.size === 0;
  }

  /** Why it answers nothing any more; undefined while it does. */
  get over(): BridgeErrorCode | undefined {
    return this.#over;
  }

  /** `Child.ready()`. */
  ready(since: number, bytes: number): Promise<void> | undefined {
    return this.#child.ready(since, bytes);
  }

  /** Refuses what `request()` must not be called with. Whoever is admitted must send before anything is awaited. */
  admit({ id }: ClientMessage): void {
    if (this.#over !== undefined) throw new BridgeError(this.#over, { id });
    if (this.pending >= this.#maxPending) throw new BridgeError('too_many_pending', { id });
  }

  holdFor(res: ServerResponse): void {
    this.#child.holdFor(res, PATIENCE_MS);
  }

  /** Sends an admitted request with the `_meta` that `rule` leaves of it; returns the number to cancel it by. */
  request(message: ClientMessage, answer: Recipient, rule: MetaRule | undefined, expiresAt: number): number {
    const number = ++this.#count;
    const { bytes, id = 'null', idAt, method } = message;
    this.lastUsed = Date.now();
    this.expiresAt = Math.max(expiresAt, this.expiresAt);
    const token = memberOf(metaMembers(message), 'progressToken');
    this.#calls.set(number, {
      id,
      token: token && textOf(bytes, token),
      answer,
      listens: method === 'subscriptions/listen',
      logs: metaOf(message)?.[LOG_LEVEL_KEY] !== undefined,
      own: false,
      since: this.lastUsed,
      expiresAt,
    });
    const edits: Edit[] = idAt === undefined ? [] : [{ ...idAt, text: `${number}` }];
    if (rule === undefined) edits.push(...(token ? [{ ...token, text: `${number}` }] : []));
    else {
      const own = new Map([...rule.own, ...(token ? [['progressToken', `${number}`] as const] : [])]);
      edits.push(...metaEdits(message, { ...rule, own }));
    }
    this.#child.write(applyEdits(bytes, edits));
    return number;
  }

  /** Sends a request of our own. */
  ask(method: string, params: string, answer: Recipient): number {
    const number = ++this.#count;
    if (this.#over !== undefined) {
      answer.respond(Buffer.from(new BridgeError(this.#over, { id: `${number}` }).body()));
      return number;
    }
    this.#calls.set(number, {
      id: `${number}`,
      token: undefined,
      answer,
      listens: false,
      logs: false,
      own: true,
      since: Date.now(),
      expiresAt: Number.POSITIVE_INFINITY,
    });
    this.#child.write(Buffer.from(`{"jsonrpc":"2.0","id":${number},"method":"${method}","params":${params}}`));
    return number;
  }

  /** Sends a notification. */
  tell(bytes: Buffer): void {
    this.lastUsed = Date.now();
    this.#child.write(bytes);
  }

  /** Tells the child that nobody waits for this request any more. */
  cancel(number: number): void {
    if (!this.#calls.delete(number)) return;
    this.#child.write(cancellation(`${number}`));
  }

  line(bytes: Buffer): void {
    const message = readMessage(bytes);
    if (message === undefined) return;
    if (message.kind === 'response') this.#settle(message);
    else if (message.kind === 'notification') this.#route(message);
    // Requests to the client are not part of these revisions; left alone, the child would wait for ever.
    else this.#child.write(methodNotFound(message.id ?? 'null'));
  }

  oversized(head: Buffer, tail: Buffer): void {
    const number = Number(idOfTruncated(head, tail) ?? Number.NaN);
    for (const each of Number.isNaN(number) ? [...this.#calls.keys()] : [number]) this.#fail(each, 'message_too_large');
  }

  gone(started: boolean): void {
    this.#finish(started ? 'child_exited' : 'child_not_started');
    this.#onGone(started);
  }

  /** What has to happen as time passes. */
  tick(now: number, keepAlive: boolean, timeoutMs: number): void {
    for (const [number, call] of [...this.#calls]) {
      if (now >= call.expiresAt && call.answer.streaming) {
        this.cancel(number);
        call.answer.finish();
      } else if (timeoutMs > 0 && !call.listens && now - call.since >= timeoutMs) {
        this.cancel(number);
        call.answer.respond(Buffer.from(new BridgeError('request_timed_out', { id: call.id }).body()));
      } else call.answer.tick(now, keepAlive);
    }
  }

  /** Answers what is in flight and ends the child. */
  async end(reason: BridgeErrorCode): Promise<void> {
    this.#finish(reason);
    await this.#child.stop();
  }

  #finish(reason: BridgeErrorCode): void {
    this.#over ??= reason;
    for (const number of [...this.#calls.keys()]) this.#fail(number, reason);
  }

  #settle(message: RpcMessage): void {
    const number = Number(message.key);
    const call = this.#calls.get(number);
    if (call === undefined || message.idAt === undefined) return;
    this.answered = true;
    this.#calls.delete(number);
    const edits: Edit[] = [{ ...message.idAt, text: call.id }];
    if (call.listens) edits.push(...subscriptionEdits(message, 'result', call.id));
    call.answer.respond(applyEdits(message.bytes, edits), statusOf(message));
  }

  #fail(number: number, reason: BridgeErrorCode): void {
    const call = this.#calls.get(number);
    if (call === undefined) return;
    this.#calls.delete(number);
    // A subscription that we end ends well (2026-07-28, Graceful Closure).
    const ended = call.listens && reason === 'closing' && call.answer.streaming;
    call.answer.respond(
      Buffer.from(ended ? subscriptionEnd(call.id) : new BridgeError(reason, { id: call.id }).body()),
    );
  }

  #route(message: RpcMessage): void {
    const params = membersAt(message.bytes, memberOf(message.members, 'params'));
    const { call, edits } = this.#addressee(message, params) ?? {};
    if (call === undefined) return;
    call.answer.notify(applyEdits(message.bytes, edits ?? []));
    if (message.method === 'notifications/cancelled') call.answer.finish();
  }

  // What cannot be told apart is dropped: a message on a stranger's stream would be worse (2026-07-28, Receiving Messages).
  #addressee(message: RpcMessage, params: Members | undefined): { call: SharedCall; edits: Edit[] } | undefined {
    if (message.method === 'notifications/message') {
      const calls = [...this.#calls.values()].filter(({ logs }) => logs);
      return calls.length === 1 && calls[0] ? { call: calls[0], edits: [] } : undefined;
    }
    const name = { 'notifications/progress': 'progressToken', 'notifications/cancelled': 'requestId' }[message.method];
    const member = name === undefined ? undefined : memberOf(params, name);
    if (member !== undefined) {
      const call = this.#calls.get(Number(textOf(message.bytes, member)));
      if (call === undefined) return undefined;
      if (name === 'requestId') this.#calls.delete(Number(textOf(message.bytes, member)));
      const edit = { ...member, text: (name === 'requestId' ? call.id : call.token) ?? 'null' };
      return { call, edits: [edit, ...subscriptionEdits(message, 'params', call.id)] };
    }
    const subscription = memberOf(membersAt(message.bytes, memberOf(params, '_meta')), SUBSCRIPTION_KEY);
    const call = subscription && this.#calls.get(Number(textOf(message.bytes, subscription)));
    return call && subscription && { call, edits: [{ ...subscription, text: call.id }] };
  }
}

function metaMembers(message: RpcMessage): Members | undefined {
  const params = membersAt(message.bytes, memberOf(message.members, 'params'));
  return membersAt(message.bytes, memberOf(params, '_meta'));
}
