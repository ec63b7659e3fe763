import type { Dispatcher } from 'undici';
import { faultOf, type TargetFault } from './target-fault.js';

type DispatchHandler = Dispatcher.DispatchHandler;
type Controller = Dispatcher.DispatchController;

/** The headers of a response, names in lower case. */
export type ResponseHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** What happens in an exchange, in this order: `onStart`, `onData` as often as bytes come, and `onEnd`; or `onFault` at any time, and nothing after it. */
export interface ExchangeListener {
  onStart(status: number, headers: ResponseHeaders): void;
  /** Returns false where no more should come before `resume()`. */
  onData(chunk: Buffer): boolean;
  onEnd(): void;
  onFault(fault: TargetFault): void;
}

/** Bytes of an unwanted response that are read, so that its connection can be used again. */
const MAX_DISCARDED = 65_536;
const MAX_DISCARD_MS = 5_000;

class Aborted extends Error {
  override readonly name = 'Aborted';
}

/** One request to a remote server, and its response, as undici tells of them. */
export class Exchange implements DispatchHandler {
  #listener: ExchangeListener | undefined;
  #controller: Controller | undefined;
  #isAborted = false;
  #discarded = 0;
  #late: NodeJS.Timeout | undefined;

  constructor(listener: ExchangeListener) {
    this.#listener = listener;
  }

  /** Hangs up. The listener hears nothing more. */
  abort(): void {
    this.#listener = undefined;
    this.#isAborted = true;
    this.#controller?.abort(new Aborted('The exchange was given up'));
  }

  /** Takes in the rest and throws it away, as long as that is quick. The listener hears nothing more. */
  discard(): void {
    this.#listener = undefined;
    this.#late = setTimeout(() => this.abort(), MAX_DISCARD_MS).unref();
    this.#controller?.resume();
  }

  /** Goes on after `onData` returned false. */
  resume(): void {
    this.#controller?.resume();
  }

  onRequestStart(controller: Controller): void {
    this.#controller = controller;
    // Until a connection is there, undici cannot be told.
    if (this.#isAborted) this.abort();
  }

  onResponseStart(_controller: Controller, status: number, headers: ResponseHeaders): void {
    // 103 and its like (RFC 9110, section 15.2) are for the next hop; the response follows.
    if (status >= 200) this.#listener?.onStart(status, headers);
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (this.#listener === undefined) this.#count(chunk);
    else if (!this.#listener.onData(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    // Trailers are not passed on (RFC 9110, section 6.5.1): their meaning is not known here.
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
