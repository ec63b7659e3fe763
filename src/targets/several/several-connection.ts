import type { Caller } from '../../core/quota.js';
import type { BridgeErrorCode } from '../../messages/bridge-error.js';
import { readChildLine } from '../../messages/child-line.js';
import { type RpcMessage, readMessage } from '../../messages/json-rpc.js';
import type { Connection, ConnectionListener, Sender } from '../connection.js';
import { Waiters } from '../waiters.js';
import { ClientMessages } from './client-messages.js';
import type { Conversation, SeveralContext } from './conversation.js';
import { cursorOfFirstPage } from './cursors.js';
import type { Directory } from './directory.js';
import { hasDuplicates } from './editor.js';
import { LaterAttempts } from './later-attempts.js';
import type { ListPages } from './list-pages.js';
import type { NamedTarget, TargetListener } from './named-target.js';
import { TargetGroup } from './target-group.js';
import { TargetMessages } from './target-messages.js';

/** One conversation with several targets, which looks to the bridge like one with a single server. */
export class SeveralConnection implements Connection, TargetListener {
  isAlive = true;
  readonly ended: Promise<void>;
  readonly waiters: Waiters;
  readonly #group: TargetGroup;
  readonly #directory: Directory;
  readonly #pages: ListPages;
  readonly #fromClient: ClientMessages;
  readonly #fromTargets: TargetMessages;
  readonly #reopenings = new LaterAttempts((target) => target.retry());
  readonly #forgetRenamings: () => void;
  readonly #logLate: (seconds: number) => void;
  #listener: ConnectionListener | undefined;
  #isProbed = false;
  #stopping: Promise<void> | undefined;
  #onEnded: () => void = () => undefined;

  constructor(context: SeveralContext, caller: Caller) {
    const { options } = context;
    this.#directory = context.directory;
    this.#pages = context.pages;
    this.waiters = new Waiters(options);
    this.ended = new Promise((resolve) => {
      this.#onEnded = resolve;
    });
    this.#group = new TargetGroup(options.targets, caller, this, options.logger);
    const emit: Conversation['emit'] = (...message) => this.#listener?.message(...message);
    const conversation: Conversation = { ...context, group: this.#group, isAnonymous: caller.auth === undefined, emit };
    this.#fromClient = new ClientMessages(conversation, (reason) => this.#fail(reason));
    this.#fromTargets = new TargetMessages(conversation, this.#fromClient);
    this.#forgetRenamings = this.#directory.onRenamed(() => this.#fromClient.announceRenamed());
    this.#logLate = (seconds) => {
      for (const target of this.#group.all) if (target.capabilities === undefined) target.logLateStart(seconds);
    };
  }

  get isProbed(): boolean {
    return this.#isProbed;
  }

  set isProbed(probed: boolean) {
    this.#isProbed = probed;
    for (const target of this.#group.all) target.isProbed = probed;
  }

  listen(listener: ConnectionListener): void {
    this.#listener = listener;
  }

  write(bytes: Buffer, sender?: Sender): void {
    const message = this.isAlive ? readMessage(bytes) : undefined;
    if (message !== undefined) this.#fromClient.handle(message, sender, this.#isProbed);
  }

  /** Never waits: messages for a target that is slow to read wait in its own queue. */
  whenWritable(): undefined {
    return undefined;
  }

  cursorFor(tool: string): string | undefined {
    const found = this.#directory.resolve('tool', tool);
    return found && cursorOfFirstPage(found.target);
  }

  pause(): void {
    for (const target of this.#group.all) target.pause();
  }

  resume(): void {
    for (const target of this.#group.all) target.resume();
  }

  logUnreadable(): void {
    // The unreadable messages of targets are logged where they arrive, with the name of their target.
  }

  logLateStart(seconds: number): void {
    this.#logLate(seconds);
  }

  async stop(): Promise<void> {
    this.#stopping ??= this.#end();
    await this.#stopping;
  }

  message(target: NamedTarget, bytes: Buffer, read?: RpcMessage, about?: readonly string[]): void {
    const message = read ?? this.#pages.recognise(target.name, bytes) ?? readChildLine(bytes);
    if (message === undefined) this.#group.failUnreadable(target, bytes);
    else if (hasDuplicates(message.members)) this.#group.failAmbiguous(target, message);
    else this.#fromTargets.handle(target, message, about);
  }

  failed(target: NamedTarget, key: string, reason: BridgeErrorCode): void {
    if (this.#group.ids.sent(key)?.target === target) this.#group.fail(key, reason);
  }

  oversized(target: NamedTarget, head: Buffer, tail: Buffer): void {
    this.#group.failOversized(target, head, tail);
  }

  restarted(target: NamedTarget): void {
    this.#fromClient.subscriptions.resume(target);
  }

  gone(target: NamedTarget, reason: BridgeErrorCode): void {
    if (!this.isAlive) return;
    this.#fromTargets.gone(target, reason);
    // Without this, the client would miss the target's notifications until its next request opens the connection again.
    if (target.reopen !== undefined && !target.isMissing) this.#reopenings.plan(target);
  }

  #fail(reason: BridgeErrorCode): void {
    if (!this.isAlive) return;
    const listener = this.#listener;
    void this.stop();
    listener?.gone(reason);
  }

  async #end(): Promise<void> {
    this.isAlive = false;
    this.#listener = undefined;
    this.#forgetRenamings();
    this.#reopenings.stop();
    this.#fromClient.subscriptions.stop();
    this.#group.dropAll();
    await Promise.all(this.#group.all.map((target) => target.stop()));
    this.#onEnded();
  }
}
