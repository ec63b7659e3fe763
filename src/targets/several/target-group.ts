import type { Logger } from '../../core/logger.js';
import type { Caller } from '../../core/quota.js';
import { BridgeError, type BridgeErrorCode } from '../../messages/bridge-error.js';
import { requestsAnsweredBy } from '../../messages/child-line.js';
import { textOf } from '../../messages/json-members.js';
import { cancellation, keyOf, type RpcMessage, readTruncated, requestTooLarge } from '../../messages/json-rpc.js';
import { withTrace } from '../../messages/meta-edit.js';
import { errorTypeOf, type ObservedCall } from '../../telemetry/observed-call.js';
import { endOfRefusal } from '../../telemetry/outcomes.js';
import { outcomeOf } from '../../telemetry/response-end.js';
import { CallSender } from '../call-sender.js';
import type { ConnectionSource, Sender } from '../connection.js';
import { NamedTarget, type TargetListener } from './named-target.js';
import { type Outcome, RequestIds, type SentRequest } from './request-ids.js';
import { TaskTokens } from './task-tokens.js';

/** A request to one target that is about to be sent. */
export interface TargetRequest extends Omit<SentRequest, 'target'> {
  readonly sender: Sender | undefined;
  /** The bytes of the request, with this id. */
  bytesFor(id: string): Buffer;
  /** Milliseconds after which it is cancelled; undefined for no limit here. */
  readonly ms?: number;
  /** True if it is part of opening the conversation. */
  readonly opens?: boolean;
}

/** The outcomes of a request that several targets are asked. */
export type Answers = ReadonlyMap<NamedTarget, Outcome>;

const MAX_LOGGED_ANSWERS = 5;

/** The targets of one connection, and the requests that they have not answered. */
export class TargetGroup {
  readonly all: readonly NamedTarget[];
  readonly ids = new RequestIds();
  readonly tasks = new TaskTokens();
  readonly #logger: Logger;
  readonly #askedAgain = new Set<NamedTarget>();
  #foreignAnswers = 0;

  constructor(
    sources: ReadonlyMap<string, ConnectionSource>,
    caller: Caller,
    listener: TargetListener,
    logger: Logger,
  ) {
    this.all = [...sources].map(([name, source]) => new NamedTarget(name, source, caller, listener));
    this.#logger = logger;
  }

  named(name: string): NamedTarget | undefined {
    return this.all.find((target) => target.name === name);
  }

  /** Sends a request to one target. `settle` is called once, unless the request is dropped. */
  ask(target: NamedTarget, request: TargetRequest): string {
    const { ids } = this;
    const id = ids.next();
    const { ms, sender } = request;
    const span = sender?.call?.alsoSendTo(target.name);
    const timer = ms === undefined ? undefined : setTimeout(() => this.#giveUp(target, id), ms);
    const settle = (outcome: Outcome): void => {
      clearTimeout(timer);
      if (sender?.call !== undefined) span?.end(errorTypeFor(outcome, sender.call));
      request.settle(outcome);
    };
    ids.addSent(id, { ...request, target, settle });
    try {
      const bytes = request.bytesFor(id);
      const write = request.opens ? 'sendFirst' : 'send';
      if (sender === undefined || span === undefined) target[write](bytes, sender);
      else target[write](withTrace(bytes, span.carrier), new CallSender(sender, undefined, span.carrier));
    } catch (error) {
      if (!(error instanceof BridgeError)) this.#logger.error(`target "${target.name}": ${(error as Error).name}`);
      this.fail(id, error instanceof BridgeError ? error.reason : 'child_not_started');
    }
    return id;
  }

  /** Asks several targets at once. */
  async askAll(
    targets: readonly NamedTarget[],
    requestFor: (target: NamedTarget) => Omit<TargetRequest, 'settle'>,
  ): Promise<Answers> {
    const outcomes = targets.map(
      (target) => new Promise<Outcome>((settle) => this.ask(target, { ...requestFor(target), settle })),
    );
    const answers = await Promise.all(outcomes);
    return new Map(targets.map((target, index) => [target, answers[index] as Outcome]));
  }

  /** Asks a silent target whether it answers again. Nothing waits for that. */
  askAgain(target: NamedTarget, request: Omit<TargetRequest, 'settle' | 'clientKey'>): void {
    if (this.#askedAgain.has(target)) return;
    this.#askedAgain.add(target);
    this.ask(target, { ...request, clientKey: undefined, settle: () => this.#askedAgain.delete(target) });
  }

  /** Passes a response on to the code that waits for it. A target cannot answer a request to another one. */
  answer(target: NamedTarget, response: RpcMessage): void {
    const { key } = response;
    target.isSilent = false;
    const request = this.ids.sent(key);
    if (key === undefined || request === undefined) return;
    if (request.target !== target) this.#logForeignAnswer(target, request.target);
    else this.ids.takeSent(key)?.settle(response);
  }

  fail(id: string, reason: BridgeErrorCode): void {
    this.ids.takeSent(id)?.settle(reason);
  }

  failAllOf(target: NamedTarget, reason: BridgeErrorCode): void {
    for (const id of this.ids.sentTo(target)) this.fail(id, reason);
  }

  /** Forgets every request: the client is gone. */
  dropAll(): void {
    for (const target of this.all) this.failAllOf(target, 'cancelled');
  }

  /** Fails the requests that these bytes, which are not a message, may have been meant to answer. */
  failUnreadable(target: NamedTarget, bytes: Buffer): void {
    target.logUnreadable(bytes);
    this.#failMeant(target, requestsAnsweredBy(bytes), 'unreadable_answer');
  }

  /** Fails the requests that an answer with several ids may be meant for: parsers differ in which one counts. */
  failAmbiguous(target: NamedTarget, { bytes, members }: RpcMessage): void {
    target.logUnreadable(bytes);
    const ids = members.list.filter(({ name }) => name === 'id');
    const keys = ids.flatMap((member) => keyOf(textOf(bytes, member)) ?? []);
    this.#failMeant(target, keys, 'unreadable_answer');
  }

  failOversized(target: NamedTarget, head: Buffer, tail: Buffer): void {
    const { kind, id = 'null', key } = readTruncated(head, tail);
    // Without an answer, the server would wait for it forever.
    if (kind === 'request') this.sendIfPossible(target, requestTooLarge(id));
    if (kind === 'response') this.#failMeant(target, key === undefined ? 'any' : [key], 'message_too_large');
  }

  /** Fails the requests that a target means by these keys. */
  #failMeant(target: NamedTarget, keys: readonly string[] | 'any', reason: BridgeErrorCode): void {
    const own = keys === 'any' ? this.ids.sentTo(target) : keys;
    for (const key of own) if (this.ids.sent(key)?.target === target) this.fail(key, reason);
  }

  /** Cancels every request to a target that belongs to one request of the client. */
  cancel(clientKey: string, bytesFor: (id: string) => Buffer): void {
    for (const id of this.ids.sentFor(clientKey)) {
      const request = this.ids.takeSent(id);
      if (request?.target.isConnected) this.sendIfPossible(request.target, bytesFor(id));
      request?.settle('cancelled');
    }
  }

  /** Sends a message that needs no answer to every target with a connection. */
  sendToConnected(bytes: Buffer, sender: Sender | undefined): void {
    for (const target of this.all) if (target.isConnected) this.sendIfPossible(target, bytes, sender);
  }

  /** Sends a message that needs no answer; it is dropped if the target cannot take it. */
  sendIfPossible(target: NamedTarget, bytes: Buffer, sender?: Sender): void {
    try {
      target.send(bytes, sender);
    } catch {
      // The target is gone, or too much waits for it already. Its requests have been failed with that reason.
    }
  }

  #giveUp(target: NamedTarget, id: string): void {
    target.isSilent = true;
    if (target.isConnected) this.sendIfPossible(target, cancellation(id, 'timed out'));
    this.fail(id, 'request_timed_out');
  }

  #logForeignAnswer(target: NamedTarget, owner: NamedTarget): void {
    if (++this.#foreignAnswers > MAX_LOGGED_ANSWERS) return;
    this.#logger.warn(`target "${target.name}" answered a request that was sent to "${owner.name}": dropped`);
  }
}

function errorTypeFor(outcome: Outcome, { start }: ObservedCall): string | undefined {
  return errorTypeOf(typeof outcome === 'string' ? endOfRefusal(outcome) : outcomeOf(outcome, start.method));
}
