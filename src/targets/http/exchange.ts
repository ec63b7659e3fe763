import type { Dispatcher } from 'undici';
import type { Repeater } from './repeater.js';
import { AnswerTimeout, faultOf, type TargetFault } from './target-fault.js';
import type { Upload } from './upload.js';

type DispatchHandler = Dispatcher.DispatchHandler;
type Controller = Dispatcher.DispatchController;

/** The headers of a response; names are in lower case. */
export type ResponseHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Values by name in lower case. */
export type HeaderRecord = ReadonlyMap<string, string | undefined>;

/** Receives the events of one exchange: `onStart`, `onData` for each piece of the body, `onEnd`. `onFault` may end it at any time. */
export interface ExchangeListener {
  onStart(status: number, headers: ResponseHeaders): void;
  /** Returns false to get no more data until `resume()` is called. */
  onData(chunk: Buffer): boolean;
  onEnd(): void;
  onFault(fault: TargetFault): void;
}

/** Bytes of an unwanted response that are read, so that its connection can be used again. */
const MAX_DISCARDED = 65_536;
/** Milliseconds for the same. */
const MAX_DISCARD_MS = 5_000;

class Aborted extends Error {
  override readonly name = 'Aborted';
}

/** One request to a remote server and its response: a handler for undici's `dispatch()`. It may be dispatched several times. */
export class Exchange implements DispatchHandler {
  #listener: ExchangeListener | undefined;
  /** Undefined if the request must not be sent again. */
  #repeater: Repeater | undefined;
  readonly #timeoutMs: number;
  readonly #upload: Upload | undefined;
  /** The bytes of the upload that were taken when the timer was started last. */
  #taken: number | undefined;
  /** Runs until the response to an attempt begins. */
  #unanswered: NodeJS.Timeout | undefined;
  /** That of the last attempt. */
  #controller: Controller | undefined;
  #isAborted = false;
  #discarded = 0;
  #late: NodeJS.Timeout | undefined;

  /**
   * @param timeoutMs Milliseconds until the response to a request that was sent must begin; 0: no limit.
   * @param upload The body, if undici has a timer for it. Interim responses restart that one.
   */
  constructor(listener: ExchangeListener, timeoutMs: number, upload?: Upload) {
    this.#listener = listener;
    this.#timeoutMs = timeoutMs;
    this.#upload = upload;
  }

  /** Lets the repeater send the request again. */
  repeatWith(repeater: Repeater | undefined): void {
    this.#repeater = repeater;
  }

  /** True if the request was, or may have been, written to a connection. */
  get isSent(): boolean {
    return this.#controller !== undefined;
  }

  /** True if it was hung up. */
  get isAborted(): boolean {
    return this.#isAborted;
  }

  /** Passes the events from now on to another listener. */
  handOver(listener: ExchangeListener): void {
    this.#listener = listener;
    // The client that waited for the answer has left.
    this.#repeater = undefined;
  }

  /** Hangs up. The listener is not called again. */
  abort(): void {
    this.#listener = undefined;
    this.#isAborted = true;
    this.#repeater?.cancel();
    this.#controller?.abort(new Aborted('The exchange was aborted'));
  }

  /** Reads the rest of the response and drops it, within limits. The listener is not called again. */
  discard(): void {
    this.#listener = undefined;
    this.#late = setTimeout(() => this.abort(), MAX_DISCARD_MS).unref();
    this.#controller?.resume();
  }

  /** Continues after `onData` returned false. */
  resume(): void {
    this.#controller?.resume();
  }

  onRequestStart(controller: Controller): void {
    this.#controller = controller;
    clearTimeout(this.#unanswered);
    // It was aborted before there was a connection, when undici has no controller yet.
    if (this.#isAborted) this.abort();
    else if (this.#upload === undefined) this.#startTimer();
  }

  onResponseStart(controller: Controller, status: number, headers: ResponseHeaders): void {
    // An interim response such as 103 (RFC 9110, section 15.2); the final response follows. It does not extend the time for that.
    if (status < 200) {
      if (this.#unanswered === undefined) this.#startTimer();
      return;
    }
    clearTimeout(this.#unanswered);
    if (this.#listener !== undefined && this.#repeater?.afterStatus(status)) {
      this.#controller = undefined;
      controller.abort(new Aborted('The request is sent again'));
    } else {
      this.#listener?.onStart(status, headers);
    }
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (controller !== this.#controller) return;
    if (this.#listener === undefined) this.#count(chunk);
    else if (!this.#listener.onData(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    // Trailers are dropped: a recipient that does not know a field must not merge it (RFC 9110, section 6.5.1).
    clearTimeout(this.#late);
    this.#listener?.onEnd();
  }

  onResponseError(controller: Controller | undefined, error: Error): void {
    // The end of an earlier attempt.
    if (controller !== undefined && controller !== this.#controller) return;
    clearTimeout(this.#unanswered);
    clearTimeout(this.#late);
    const listener = this.#listener;
    if (listener !== undefined && !this.isSent && this.#repeater?.afterNoConnection()) return;
    this.#listener = undefined;
    listener?.onFault(faultOf(error, this.isSent));
  }

  #startTimer(): void {
    this.#taken = this.#upload?.taken;
    if (this.#timeoutMs > 0) this.#unanswered = setTimeout(() => this.#onUnanswered(), this.#timeoutMs);
  }

  #onUnanswered(): void {
    // A long upload may take its time.
    if (this.#upload?.taken !== this.#taken) this.#startTimer();
    else this.#controller?.abort(new AnswerTimeout());
  }

  #count(chunk: Buffer): void {
    this.#discarded += chunk.length;
    if (this.#discarded > MAX_DISCARDED) this.abort();
  }
}

/** Returns a header as one string; undefined if it was not sent. */
export function headerText(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : header?.join(', ');
}

export function isEventStream(headers: ResponseHeaders): boolean {
  return /^text\/event-stream[ \t]*(?:;|$)/i.test(headerText(headers['content-type']) ?? '');
}
