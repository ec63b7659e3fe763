import type { Caller } from '../../core/quota.js';
import { withdrawalOf } from '../../core/token-validity.js';
import { BridgeError, type BridgeErrorCode } from '../../messages/bridge-error.js';
import type { RpcMessage } from '../../messages/json-rpc.js';
import type { Connection, ConnectionSource, Sender } from '../connection.js';
import { MessageQueue } from './message-queue.js';
import { whenTargetWritable } from './when-target-writable.js';

/** Receives what one of several targets sends. */
export interface TargetListener {
  message(target: NamedTarget, bytes: Buffer, read?: RpcMessage, about?: readonly string[]): void;
  failed(target: NamedTarget, key: string, reason: BridgeErrorCode): void;
  oversized(target: NamedTarget, head: Buffer, tail: Buffer): void;
  /** The connection was opened again, in a conversation without sessions. */
  restarted(target: NamedTarget): void;
  /** The connection of the target is gone. It is opened again when something is sent. */
  gone(target: NamedTarget, reason: BridgeErrorCode): void;
}

/** The shortest time between two starts of a target that ends at once. */
const MIN_RESTART_MS = 1_000;
/** The shortest time between two attempts to open a target that did not open. */
const MIN_RETRY_MS = 10_000;
/** After this time, lists wait again for a target that has not answered in time. */
const SILENT_FOR_MS = 30_000;

/** One of several targets, and the connection to it that one client uses. */
export class NamedTarget {
  readonly name: string;
  /** Repeats the client's `initialize` on a new connection; undefined before the first one, and in a conversation without sessions. */
  reopen: (() => Promise<boolean>) | undefined;
  /** The capabilities that the target announced on its last connection; undefined before its first answer. */
  capabilities: Readonly<Record<string, unknown>> | undefined;
  /** True if it could not be opened when it was last tried. */
  isMissing = false;
  #silentUntil = Number.NEGATIVE_INFINITY;
  readonly #source: ConnectionSource;
  readonly #listener: TargetListener;
  #caller: Caller;
  #connection: Connection | undefined;
  #isProbed = false;
  #isPaused = false;
  #startedAt = Number.NEGATIVE_INFINITY;
  #lastReason: BridgeErrorCode = 'child_exited';
  /** True while it is opened again. Other messages wait until it is open. */
  #isOpening = false;
  #isFlushing = false;
  #isStopped = false;
  readonly #queue = new MessageQueue();
  readonly #ending = new Set<Promise<void>>();

  constructor(name: string, source: ConnectionSource, caller: Caller, listener: TargetListener) {
    this.name = name;
    this.#source = source;
    this.#caller = caller;
    this.#listener = listener;
  }

  get isConnected(): boolean {
    return this.#connection?.isAlive === true;
  }

  /** Milliseconds since the connection was opened. */
  get age(): number {
    return performance.now() - this.#startedAt;
  }

  /** The reason why it was gone the last time. */
  get lastReason(): BridgeErrorCode {
    return this.#lastReason;
  }

  /** True if it did not answer a request in time just now, and has answered none since. */
  get isSilent(): boolean {
    return performance.now() < this.#silentUntil;
  }

  set isSilent(silent: boolean) {
    this.#silentUntil = silent ? performance.now() + SILENT_FOR_MS : Number.NEGATIVE_INFINITY;
  }

  set isProbed(probed: boolean) {
    this.#isProbed = probed;
    if (this.#connection) this.#connection.isProbed = probed;
  }

  /**
   * Sends a message. Opens the connection if there is none.
   *
   * @throws {BridgeError} If it cannot be opened, or if too much waits.
   */
  send(bytes: Buffer, sender: Sender | undefined): void {
    if (sender !== undefined) this.#caller = { ...this.#caller, auth: sender.auth };
    if (!this.isConnected) this.connect();
    const connection = this.#isOpening || !this.#queue.isEmpty ? undefined : this.#connection;
    if (connection === undefined || whenTargetWritable(connection) !== undefined) this.#enqueue(bytes, sender);
    else connection.write(bytes, sender);
  }

  /** Sends a message that opens the conversation, before the messages that wait. */
  sendFirst(bytes: Buffer, sender: Sender | undefined): void {
    if (!this.isConnected) this.#start();
    this.#connection?.write(bytes, sender);
  }

  /** Opens the connection, and the conversation on it if there was one before. */
  connect(): void {
    const isFirst = this.age === Number.POSITIVE_INFINITY;
    this.#start();
    if (this.reopen === undefined && !isFirst) this.#listener.restarted(this);
    if (this.reopen === undefined) return;
    this.#isOpening = true;
    const connection = this.#connection;
    void this.#reopened().then((isOpen) => {
      if (connection !== this.#connection) return;
      this.#isOpening = false;
      this.isMissing = !isOpen;
      if (isOpen) this.#flush();
      else this.disconnect('child_not_started');
    });
  }

  /** Tries to open a missing target again, unless that was tried just now. */
  retry(): void {
    if (this.isConnected) return;
    try {
      this.connect();
    } catch {
      // It is still missing.
    }
  }

  /** Ends the connection. The next message opens another one. */
  disconnect(reason: BridgeErrorCode): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#onGone(connection, reason);
    void connection.stop();
  }

  /** Replaces the connection by a new one, on which no conversation is open yet. */
  replace(): void {
    void this.#connection?.stop();
    this.#connection = undefined;
    this.#startedAt = Number.NEGATIVE_INFINITY;
    this.#start();
  }

  pause(): void {
    this.#isPaused = true;
    this.#connection?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#connection?.resume();
  }

  logUnreadable(bytes: Buffer): void {
    this.#connection?.logUnreadable(bytes);
  }

  logLateStart(seconds: number): void {
    this.#connection?.logLateStart(seconds);
  }

  /** Ends the connection; resolves when it and all earlier ones have ended. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    void this.#connection?.stop();
    this.#connection = undefined;
    await Promise.all(this.#ending);
  }

  async #reopened(): Promise<boolean> {
    try {
      return (await this.reopen?.()) === true;
    } catch {
      // The connection ended while it was opened.
      return false;
    }
  }

  #start(): void {
    const { age } = this;
    // Work for the client that is still going on must not open a connection that is never stopped.
    if (this.#isStopped) throw new BridgeError('session_ended');
    this.#isOpening = false;
    if (age < (this.isMissing ? MIN_RETRY_MS : MIN_RESTART_MS)) throw new BridgeError(this.#lastReason);
    this.#startedAt = performance.now();
    const connection = this.#source.open(this.#caller);
    const ended = connection.ended.then(() => void this.#ending.delete(ended));
    this.#ending.add(ended);
    this.#connection = connection;
    connection.isProbed = this.#isProbed;
    if (this.#isPaused) connection.pause();
    const current = () => connection === this.#connection;
    connection.listen({
      message: (...message) => current() && this.#listener.message(this, ...message),
      failed: (key, reason) => current() && this.#listener.failed(this, key, reason),
      oversized: (head, tail) => current() && this.#listener.oversized(this, head, tail),
      gone: (reason) => this.#onGone(connection, reason),
    });
  }

  #onGone(connection: Connection, reason: BridgeErrorCode): void {
    if (connection !== this.#connection) return;
    this.#connection = undefined;
    this.isMissing ||= this.#isOpening;
    this.#isOpening = false;
    this.#lastReason = reason;
    this.#queue.clear();
    this.#listener.gone(this, reason);
  }

  #enqueue(bytes: Buffer, sender: Sender | undefined): void {
    this.#queue.add(bytes, sender);
    if (!this.#isOpening) this.#flush();
  }

  #flush(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    void this.#writeQueue().finally(() => {
      this.#isFlushing = false;
      // Messages for the next connection may have come while the last write of the one before was awaited.
      if (!this.#queue.isEmpty && this.isConnected && !this.#isOpening) this.#flush();
    });
  }

  async #writeQueue(): Promise<void> {
    for (
      let connection = this.#connection;
      connection !== undefined && !this.#queue.isEmpty;
      connection = this.#connection
    ) {
      if (this.#isOpening) return;
      const wait = whenTargetWritable(connection);
      if (wait !== undefined) await wait;
      else this.#writeNext(connection);
    }
  }

  #writeNext(connection: Connection): void {
    const next = this.#queue.take();
    // Its token may have been withdrawn meanwhile. The bridge refuses the request.
    if (next !== undefined && withdrawalOf(next.sender?.auth) === undefined) connection.write(next.bytes, next.sender);
  }
}
