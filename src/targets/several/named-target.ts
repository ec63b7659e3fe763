import type { ServerResponse } from 'node:http';
import type { Caller } from '../../core/quota.js';
import { BridgeError, type BridgeErrorCode } from '../../messages/bridge-error.js';
import type { RpcMessage } from '../../messages/json-rpc.js';
import type { Connection, ConnectionSource, Sender } from '../connection.js';

/** Receives what one of several targets sends. */
export interface TargetListener {
  message(target: NamedTarget, bytes: Buffer, read?: RpcMessage): void;
  oversized(target: NamedTarget, head: Buffer, tail: Buffer): void;
  /** Another connection than the first was opened, in a conversation without sessions. */
  restarted(target: NamedTarget): void;
  /** The connection of the target is gone. It is opened again when something is sent. */
  gone(target: NamedTarget, reason: BridgeErrorCode): void;
}

/** Bytes that may wait for a target that is slow to read, or that is being opened again. A single message may always wait. */
const MAX_QUEUED_BYTES = 16_777_216;
const MAX_QUEUED = 1_000;
/** A target that ends at once is not started more often than this, and one that did not open not more often than the next. */
const MIN_RESTART_MS = 1_000;
const MIN_RETRY_MS = 10_000;

interface Queued {
  readonly bytes: Buffer;
  readonly sender: Sender | undefined;
}

/** One of several targets, and the connection to it that one client uses. */
export class NamedTarget {
  readonly name: string;
  /** Opens a conversation on a new connection as the client opened its own; undefined while there is none, or without sessions. */
  reopen: (() => Promise<boolean>) | undefined;
  /** What the target announced on its last connection; undefined if it has said nothing yet. */
  capabilities: Readonly<Record<string, unknown>> | undefined;
  /** True if it could not be opened when it was last tried. */
  isMissing = false;
  readonly #source: ConnectionSource;
  readonly #listener: TargetListener;
  #caller: Caller;
  #connection: Connection | undefined;
  #probed = false;
  #startedAt = Number.NEGATIVE_INFINITY;
  #lastReason: BridgeErrorCode = 'child_exited';
  /** True if it is opened again, and takes no other messages meanwhile. */
  #isOpening = false;
  #isFlushing = false;
  readonly #queue: Queued[] = [];
  #queuedBytes = 0;
  readonly #ending = new Set<Promise<void>>();

  constructor(name: string, source: ConnectionSource, caller: Caller, listener: TargetListener) {
    this.name = name;
    this.#source = source;
    this.#caller = caller;
    this.#listener = listener;
  }

  get isConnected(): boolean {
    return this.#connection?.alive === true;
  }

  /** Milliseconds since the connection was opened. */
  get age(): number {
    return performance.now() - this.#startedAt;
  }

  /** The reason why it was gone the last time. */
  get lastReason(): BridgeErrorCode {
    return this.#lastReason;
  }

  set probed(probed: boolean) {
    this.#probed = probed;
    if (this.#connection) this.#connection.probed = probed;
  }

  /**
   * Sends a message. Opens the connection if there is none.
   *
   * @throws {BridgeError} If it cannot be opened, or if too much waits.
   */
  send(bytes: Buffer, sender: Sender | undefined): void {
    if (sender !== undefined) this.#caller = { ...this.#caller, auth: sender.auth };
    if (!this.isConnected) this.connect();
    const isFree = !this.#isOpening && this.#queue.length === 0;
    if (isFree && this.#connection?.ready(performance.now()) === undefined) this.#connection?.write(bytes, sender);
    else this.#enqueue(bytes, sender);
  }

  /** Sends a message that opens the conversation, before all that wait. */
  sendFirst(bytes: Buffer, sender: Sender | undefined): void {
    if (!this.isConnected) this.#start();
    this.#connection?.write(bytes, sender);
  }

  /** Opens the connection, and the conversation as the client opened it. */
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

  pauseFor(res: ServerResponse, maxDrainMs: number): void {
    this.#connection?.pauseFor(res, maxDrainMs);
  }

  logUnreadable(bytes: Buffer): void {
    this.#connection?.logUnreadable(bytes);
  }

  logLateStart(seconds: number): void {
    this.#connection?.logLateStart(seconds);
  }

  /** Ends the connection; resolves when nothing is left of it and of those before. */
  async stop(): Promise<void> {
    void this.#connection?.stop();
    this.#connection = undefined;
    await Promise.all(this.#ending);
  }

  async #reopened(): Promise<boolean> {
    try {
      return (await this.reopen?.()) === true;
    } catch {
      // It went away once more in the middle.
      return false;
    }
  }

  #start(): void {
    const { age } = this;
    this.#isOpening = false;
    if (age < (this.isMissing ? MIN_RETRY_MS : MIN_RESTART_MS)) throw new BridgeError(this.#lastReason);
    this.#startedAt = performance.now();
    const connection = this.#source.open(this.#caller);
    const ended = connection.ended.then(() => void this.#ending.delete(ended));
    this.#ending.add(ended);
    this.#connection = connection;
    connection.probed = this.#probed;
    const current = () => connection === this.#connection;
    connection.listen({
      message: (bytes, read) => current() && this.#listener.message(this, bytes, read),
      oversized: (head, tail) => current() && this.#listener.oversized(this, head, tail),
      gone: (reason) => this.#onGone(connection, reason),
    });
  }

  #onGone(connection: Connection, reason: BridgeErrorCode): void {
    if (connection !== this.#connection) return;
    this.#connection = undefined;
    this.#isOpening = false;
    this.#lastReason = reason;
    this.#queue.length = 0;
    this.#queuedBytes = 0;
    this.#listener.gone(this, reason);
  }

  #enqueue(bytes: Buffer, sender: Sender | undefined): void {
    const isHeavy = this.#queuedBytes > 0 && this.#queuedBytes + bytes.length > MAX_QUEUED_BYTES;
    if (this.#queue.length >= MAX_QUEUED || isHeavy) throw new BridgeError('too_many_pending');
    this.#queue.push({ bytes, sender });
    this.#queuedBytes += bytes.length;
    if (!this.#isOpening) this.#flush();
  }

  #flush(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    void this.#writeQueue().finally(() => {
      this.#isFlushing = false;
      // Messages for the next connection may have come while the last write of the one before was awaited.
      if (this.#queue.length > 0 && this.isConnected && !this.#isOpening) this.#flush();
    });
  }

  async #writeQueue(): Promise<void> {
    for (
      let connection = this.#connection;
      connection !== undefined && this.#queue.length > 0;
      connection = this.#connection
    ) {
      if (this.#isOpening) return;
      const busy = connection.ready(performance.now());
      // A rejection says that this wait was too long. The bridge answers the requests that wait too long.
      if (busy !== undefined) await busy.catch(() => undefined);
      else this.#writeNext(connection);
    }
  }

  #writeNext(connection: Connection): void {
    const next = this.#queue.shift();
    if (next === undefined) return;
    this.#queuedBytes -= next.bytes.length;
    connection.write(next.bytes, next.sender);
  }
}
