import type { Dispatcher } from 'undici';
import { faultOf, type TargetFault } from './target-fault.js';

type DispatchHandler = Dispatcher.DispatchHandler;
type Controller = Dispatcher.DispatchController;

/** The headers of a response, names in lower case. */
export type ResponseHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Gets the events of an exchange, in this order: `onStart`, `onData` for each chunk, `onEnd`. `onFault` may come at any time, as the last one. */
export interface ExchangeListener {
  onStart(status: number, headers: ResponseHeaders): void;
  /** Returns false to pause until `resume()`. */
  onData(chunk: Buffer): boolean;
  onEnd(): void;
  onFault(fault: TargetFault): void;
}

/** Bytes of an unwanted response that are read at most, so that its connection can be used again. */
const MAX_DISCARDED = 65_536;
/** Milliseconds for the same. */
const MAX_DISCARD_MS = 5_000;

class Aborted extends Error {
  override readonly name = 'Aborted';
}

/** One request to a remote server, and its response: the handler that undici calls. */
export class Exchange implements DispatchHandler {
  #listener: ExchangeListener | undefined;
  #controller: Controller | undefined;
  #isAborted = false;
  #discarded = 0;
  #late: NodeJS.Timeout | undefined;

  constructor(listener: ExchangeListener) {
    this.#listener = listener;
  }

  /** Hangs up. The listener is not called again. */
  abort(): void {
    this.#listener = undefined;
    this.#isAborted = true;
    this.#controller?.abort(new Aborted('The exchange was aborted'));
  }

  /** Reads and discards the rest of the response, or hangs up if it is long or slow. The listener is not called again. */
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
    // undici cannot abort a request before it has a connection.
    if (this.#isAborted) this.abort();
  }

  onResponseStart(_controller: Controller, status: number, headers: ResponseHeaders): void {
    // An interim response, such as 103 (RFC 9110, section 15.2). The final one follows.
    if (status >= 200) this.#listener?.onStart(status, headers);
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (this.#listener === undefined) this.#count(chunk);
    else if (!this.#listener.onData(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    // Trailers are not forwarded (RFC 9110, section 6.5.1): we do not know their meaning.
    clearTimeout(this.#late);
    this.#listener?.onEnd();
  }

  onResponseError(_controller: Controller | undefined, error: Error): void {
    clearTimeout(this.#late);
    const listener = this.#listener;
    this.#listener = undefined;
    listener?.onFault(faultOf(error, this.#controller !== undefined));
  }

  #count(chunk: Buffer): void {
    this.#discarded += chunk.length;
    if (this.#discarded > MAX_DISCARDED) this.abort();
  }
}
