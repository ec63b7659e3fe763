import type { ServerResponse } from 'node:http';
import { isExpiredOrWithdrawn, withdrawalOf } from '../../core/token-validity.js';
import { hasHungUp, onceClosed } from '../../http/hang-up.js';
import { NO_SNIFF } from '../../http/no-sniff.js';
import type { EventLog } from './event-log.js';
import { failAnswer, type OpenAnswer } from './open-answer.js';

const STREAM_HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
  ...NO_SNIFF,
};
/** The time that a client is asked to wait before it reconnects, in milliseconds. */
const RETRY_MS = 1_000;
/** A client that has not come back for an answer in this time is not expected any more. In milliseconds. */
const MAX_RETURN_MS = 5 * RETRY_MS;
const DATA = Buffer.from('data: ');
const END = Buffer.from('\n\n');

/** Makes the events of one stream resumable with `Last-Event-ID` (revisions before 2026-07-28). */
export interface Resumption {
  readonly log: EventLog;
  /** The number of the stream in its session. Event ids have the form `number-event`. */
  readonly number: number;
  /** True if an empty first event tells the client where to resume (since 2025-11-25). */
  sendsInitialEvent(): boolean;
}

/** One stream of server-sent events. A resumable stream may continue on another connection. */
export class EventStream {
  readonly #resumption: Resumption | undefined;
  #answer: OpenAnswer | undefined;
  #last = 0;
  #sent = 0;
  #isDone = false;
  #hasSent = false;
  /** The time since which an event waits for a connection that takes it. */
  #untakenSince: number | undefined;

  constructor(resumption?: Resumption) {
    this.#resumption = resumption;
  }

  get connected(): boolean {
    return this.#answer !== undefined && !hasHungUp(this.#answer.res) && !this.#answer.res.writableEnded;
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  /** True once an event was sent. From a resumable stream, the client knows since then where to resume. */
  get hasSent(): boolean {
    return this.#hasSent;
  }

  /** True while a client takes the last events of the stream, or can be expected to come back for them. */
  isAwaited(now: number): boolean {
    if (!this.#isDone || !this.#hasSent) return false;
    if (this.#answer !== undefined) return !this.#answer.res.writableFinished;
    return this.#untakenSince !== undefined && now - this.#untakenSince < MAX_RETURN_MS;
  }

  /**
   * Continues the stream on `answer`, which has no headers yet, until the caller's token expires or is withdrawn. Ends an earlier
   * response, which the client has abandoned. The events after `event` must be replayed next. Throws what a function of the application
   * throws; the stream then has no response.
   */
  attach(answer: OpenAnswer, event = this.#sent): void {
    this.pause();
    this.#answer = undefined;
    const { res } = answer;
    res.writeHead(200, STREAM_HEADERS);
    // Proxies and clients wait for the headers, and the first event may be a long time away.
    res.flushHeaders();
    if (this.#resumption?.sendsInitialEvent() && !this.#isDone) {
      // A client that is cut off after it resumes here, so this id precedes all events that are replayed.
      const start = this.#last - this.#kept(event).length;
      res.write(`id: ${this.#resumption.number}-${start}\nretry: ${RETRY_MS}\ndata: \n\n`);
      this.#hasSent = true;
    }
    this.#answer = answer;
    onceClosed(res, () => {
      // A response that another one has replaced may close later.
      if (this.#answer !== answer) return;
      if (!res.writableFinished) this.mark(false);
      // The stream stays for as long as it can be resumed, which is no reason to keep the request and the arguments of its calls.
      this.#answer = undefined;
    });
  }

  /** True if every event after `event` is still kept. */
  canReplayFrom(event: number): boolean {
    return this.#kept(event).length === this.#last - event;
  }

  /** True if the stream has ended, and `event` was its last. */
  endsAfter(event: number): boolean {
    return this.#isDone && event === this.#last;
  }

  /** Sends the kept events after `event`. */
  replay(event = this.#sent): void {
    for (const frame of this.#kept(event)) this.#write(frame);
    if (this.#answer !== undefined) this.#sent = this.#last;
    if (this.connected) this.mark(true);
    if (this.#isDone) this.#finish();
  }

  /** Sends one message; `isAnswer` is true for a JSON-RPC response. Returns the HTTP response if it must drain before the next message. */
  send(message: Buffer, isAnswer = false): ServerResponse | undefined {
    const frame = this.#frame(message, isAnswer);
    if (!this.connected) return undefined;
    const isDrained = this.#write(frame);
    if (this.#answer !== undefined) {
      this.#sent = this.#last;
      this.#hasSent = true;
    }
    return isDrained ? undefined : this.#answer?.res;
  }

  /**
   * Called every second. Ends the connection if its token is over, or writes a comment that keeps proxies from closing a quiet connection.
   *
   * @param outlastsExpiry True if only a token that is withdrawn ends the connection.
   */
  tick(keepAlive: boolean, outlastsExpiry = false): void {
    if (!this.connected) return;
    const auth = this.#answer?.auth;
    if (outlastsExpiry ? withdrawalOf(auth) !== undefined : isExpiredOrWithdrawn(auth)) this.pause();
    else if (keepAlive) this.#write(':\n\n');
  }

  /** Ends the stream for good. */
  end(): void {
    this.#isDone = true;
    if (this.connected) this.#finish();
  }

  /** Ends the connection, not the stream: the client may reconnect for the rest. */
  pause(): void {
    if (!this.connected) return;
    this.#finish(this.#resumption && !this.#isDone ? `retry: ${RETRY_MS}\n\n` : undefined);
  }

  /** Notes that a client has taken the events of the stream, or that its connection broke before it did. */
  mark(isTaken: boolean): void {
    this.#untakenSince = isTaken ? undefined : performance.now();
    this.#resumption?.log.mark(this.#resumption.number, isTaken);
  }

  /** Returns false if the response must drain before the next write. */
  #write(frame: Buffer | string): boolean {
    try {
      return this.#answer?.res.write(frame) ?? true;
    } catch (error) {
      if (this.#answer !== undefined) failAnswer(this.#answer, error);
      this.#drop();
      return true;
    }
  }

  #finish(last?: string): void {
    try {
      this.#answer?.res.end(last);
    } catch (error) {
      if (this.#answer !== undefined && failAnswer(this.#answer, error)) this.#drop();
    }
  }

  /** Forgets a response that cannot be written to, because a function of the application throws. Its client may resume the stream. */
  #drop(): void {
    this.#answer = undefined;
    this.mark(false);
  }

  #kept(event: number): readonly Buffer[] {
    return this.#resumption?.log.after(this.#resumption.number, event) ?? [];
  }

  #frame(message: Buffer, isAnswer: boolean): Buffer {
    if (this.#resumption === undefined) return Buffer.concat([DATA, message, END]);
    const { log, number } = this.#resumption;
    const event = ++this.#last;
    const frame = Buffer.concat([Buffer.from(`id: ${number}-${event}\n`), DATA, message, END]);
    log.append(number, event, frame, { isAnswer, isTaken: this.connected });
    if (!this.connected) this.#untakenSince = performance.now();
    return frame;
  }
}
