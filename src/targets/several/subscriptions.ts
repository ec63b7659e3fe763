import { memberOf } from '../../messages/json-members.js';
import { methodNotFound, type RpcMessage } from '../../messages/json-rpc.js';
import { SUBSCRIPTION_KEY, subscriptionEnd } from '../../messages/stateless-response.js';
import type { Sender } from '../connection.js';
import { type Conversation, requestFor } from './conversation.js';
import { Editor } from './editor.js';
import { LaterAttempts } from './later-attempts.js';
import { NameQualifier } from './name-qualifier.js';
import type { NamedTarget } from './named-target.js';
import { metaMembersOf, paramsOf } from './params.js';
import type { Outcome } from './request-ids.js';
import { type Filter, filterOf, joinFilters, splitFilter } from './subscription-filters.js';
import { faultResponse, invalidParams, isMethodNotFound, isResult } from './target-faults.js';

const ACKNOWLEDGE_MS = 10_000;
/** Notifications that wait until all targets have acknowledged the subscription; more are dropped. */
const MAX_EARLY = 100;
const MAX_EARLY_BYTES = 1_048_576;
/** Bytes that an acknowledgement may have more than the request, for `_meta`. */
const MAX_FURTHER_BYTES = 65_536;
const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged';

interface Subscription {
  readonly message: RpcMessage;
  readonly sender: Sender | undefined;
  readonly filters: ReadonlyMap<NamedTarget, Filter>;
  /** The targets that have not ended their part. */
  readonly open: Set<NamedTarget>;
  /** The targets whose part broke off. They are asked again, even if no other part is open. */
  readonly lost: Set<NamedTarget>;
  /** The targets that have ended their part themselves. They are asked again while the subscription goes on. */
  readonly ended: Set<NamedTarget>;
  /** The targets that do not have subscriptions. */
  readonly lacking: Set<NamedTarget>;
  /** The filters that targets have accepted. */
  readonly acknowledged: Map<NamedTarget, Filter>;
  /** Notifications that came before the subscription was acknowledged to the client. */
  readonly early: Buffer[];
  fault: { target: NamedTarget; outcome: Outcome } | undefined;
  isReady: boolean;
  timer: NodeJS.Timeout | undefined;
}

/** Subscriptions of 2026-07-28. For each one of a client there is one at every target that it concerns. */
export class Subscriptions {
  readonly #conversation: Conversation;
  readonly #all = new Set<Subscription>();
  readonly #resumptions = new LaterAttempts((target) => this.resume(target));

  constructor(conversation: Conversation) {
    this.#conversation = conversation;
  }

  listen(message: RpcMessage, sender: Sender | undefined): void {
    const { emit } = this.#conversation;
    const filter = filterOf(message);
    const filters = filter && splitFilter(filter, this.#conversation);
    if (filters === undefined) emit(invalidParams(message.id ?? 'null', 'Invalid notifications'));
    else this.#begin(message, sender, filters);
  }

  /** Subscribes again at a target whose parts of subscriptions are over. */
  resume(target: NamedTarget): void {
    for (const subscription of this.#all) {
      const { lost, ended, sender } = subscription;
      // The record of the client's request would keep a span of every attempt.
      const again = sender && { auth: sender.auth, requestId: sender.requestId };
      if (lost.delete(target) || ended.delete(target)) this.#ask(subscription, target, again);
    }
  }

  /** Forgets the subscription that a client has cancelled. A target that would be asked again has no request to cancel. */
  cancel(clientKey: string): void {
    for (const subscription of this.#all) if (subscription.message.key === clientKey) this.#forget(subscription);
  }

  /** Notifies the clients that a list has changed, if they have subscribed to this. */
  announceList(name: 'tools' | 'resources'): void {
    for (const { isReady, acknowledged, message } of this.#all) {
      const isWanted = [...acknowledged.values()].some((filter) => filter[`${name}ListChanged`] === true);
      if (!isReady || !isWanted) continue;
      const params = `{"_meta":{"${SUBSCRIPTION_KEY}":${message.id}}}`;
      const notification = `{"jsonrpc":"2.0","method":"notifications/${name}/list_changed","params":${params}}`;
      this.#conversation.emit(Buffer.from(notification));
    }
  }

  stop(): void {
    this.#resumptions.stop();
    for (const { timer } of this.#all) clearTimeout(timer);
    this.#all.clear();
  }

  #begin(message: RpcMessage, sender: Sender | undefined, filters: ReadonlyMap<NamedTarget, Filter>): void {
    const subscription: Subscription = {
      message,
      sender,
      filters,
      open: new Set(),
      lost: new Set(),
      ended: new Set(),
      lacking: new Set(),
      acknowledged: new Map(),
      early: [],
      fault: undefined,
      isReady: false,
      timer: undefined,
    };
    this.#all.add(subscription);
    subscription.timer = setTimeout(() => this.#acknowledge(subscription), ACKNOWLEDGE_MS);
    for (const target of filters.keys()) subscription.open.add(target);
    for (const target of filters.keys()) this.#ask(subscription, target, sender);
  }

  #ask(subscription: Subscription, target: NamedTarget, sender: Sender | undefined): void {
    const { message, filters, open } = subscription;
    open.add(target);
    this.#conversation.group.ask(target, {
      clientKey: message.key,
      clientToken: undefined,
      sender,
      bytesFor: (id) =>
        requestFor(message, target.name, id, (editor) => {
          const notifications = memberOf(paramsOf(message), 'notifications');
          editor.replace(notifications, JSON.stringify(filters.get(target)));
        }),
      onNotification: (notification) => this.#notify(subscription, target, notification),
      settle: (outcome) => this.#settle(subscription, target, outcome),
    });
  }

  #notify(subscription: Subscription, target: NamedTarget, notification: RpcMessage): void {
    if (notification.method === ACKNOWLEDGED) {
      subscription.acknowledged.set(target, acceptedIn(notification, subscription.message));
      this.#acknowledgeIfComplete(subscription);
      return;
    }
    if (notification.method === 'notifications/cancelled') return;
    const editor = new Editor(notification.bytes);
    const edits = new NameQualifier(editor, this.#conversation.directory, target.name);
    edits.params(notification);
    const name = memberOf(metaMembersOf(notification), SUBSCRIPTION_KEY);
    editor.replace(name, subscription.message.id ?? 'null');
    const { edited } = edits;
    if (edited === undefined) this.#conversation.missing.log(target.name, 'a notification', 'too_many_items');
    else if (subscription.isReady) this.#conversation.emit(edited);
    else if (hasRoom(subscription.early, edited)) subscription.early.push(Buffer.from(edited));
  }

  #settle(subscription: Subscription, target: NamedTarget, outcome: Outcome): void {
    subscription.open.delete(target);
    if (outcome === 'cancelled') this.#forget(subscription);
    if (!this.#all.has(subscription)) return;
    this.#resumeLater(subscription, target, outcome);
    if (isMethodNotFound(outcome)) subscription.lacking.add(target);
    else if (!isEnd(outcome)) {
      this.#conversation.missing.log(target.name, 'subscriptions/listen', outcome);
      subscription.fault = { target, outcome };
    }
    if (subscription.isReady) this.#endIfOver(subscription);
    else this.#acknowledgeIfComplete(subscription);
  }

  /** The client does not learn that one of several targets sends it nothing more, so it cannot subscribe again itself. */
  #resumeLater({ lost, ended, acknowledged }: Subscription, target: NamedTarget, outcome: Outcome): void {
    if (typeof outcome === 'string') lost.add(target);
    else if (acknowledged.has(target) && !isMethodNotFound(outcome)) ended.add(target);
    else return;
    this.#resumptions.plan(target);
  }

  #acknowledgeIfComplete(subscription: Subscription): void {
    const { open, acknowledged, isReady } = subscription;
    if (!isReady && [...open].every((target) => acknowledged.has(target))) this.#acknowledge(subscription);
  }

  /** Acknowledges the subscription with what the targets accepted together, or refuses it if none did, as one server would. */
  #acknowledge(subscription: Subscription): void {
    const { acknowledged, message, early, fault, lacking, filters } = subscription;
    const { emit } = this.#conversation;
    const id = message.id ?? 'null';
    clearTimeout(subscription.timer);
    if (acknowledged.size === 0 && fault !== undefined) {
      this.#forget(subscription);
      emit(faultResponse(id, fault.target.name, fault.outcome));
      return;
    }
    if (lacking.size === filters.size) {
      this.#forget(subscription);
      emit(methodNotFound(id));
      return;
    }
    subscription.isReady = true;
    const notifications = JSON.stringify(joinFilters(acknowledged, this.#conversation.directory));
    const params = `{"notifications":${notifications},"_meta":{"${SUBSCRIPTION_KEY}":${id}}}`;
    emit(Buffer.from(`{"jsonrpc":"2.0","method":"${ACKNOWLEDGED}","params":${params}}`));
    for (const bytes of early.splice(0)) emit(bytes);
    this.#endIfOver(subscription);
  }

  #endIfOver(subscription: Subscription): void {
    const { open, lost, message } = subscription;
    if (open.size > 0 || lost.size > 0) return;
    this.#forget(subscription);
    this.#conversation.emit(Buffer.from(subscriptionEnd(message.id ?? 'null')));
  }

  #forget(subscription: Subscription): void {
    clearTimeout(subscription.timer);
    this.#all.delete(subscription);
  }
}

/** True if a target ends its part as it should: with a result, or with `notifications/cancelled` (2026-07-28). */
function isEnd(outcome: Outcome): boolean {
  return typeof outcome !== 'string' && (outcome.kind === 'notification' || isResult(outcome));
}

/** The filter that a target has accepted, which is kept. It is a part of the client's: a longer one counts as nothing. */
function acceptedIn(notification: RpcMessage, request: RpcMessage): Filter {
  const isLonger = notification.bytes.length > request.bytes.length + MAX_FURTHER_BYTES;
  return (isLonger ? undefined : filterOf(notification)) ?? {};
}

function hasRoom(early: readonly Buffer[], next: Buffer): boolean {
  const bytes = early.reduce((sum, { length }) => sum + length, next.length);
  return early.length < MAX_EARLY && bytes <= MAX_EARLY_BYTES;
}
