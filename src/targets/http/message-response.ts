import { BodyError } from '../../http/body.js';
import { BridgeError } from '../../messages/bridge-error.js';
import { withoutByteOrderMark } from '../../messages/byte-order-mark.js';
import { SPACE } from '../../messages/json-bytes.js';
import { skipSpace } from '../../messages/json-scan.js';
import { readBatch } from '../../messages/read-batch.js';
import { EventReader } from './event-reader.js';
import { type Exchange, type ExchangeListener, isEventStream, type ResponseHeaders } from './exchange.js';
import { type AnsweredRequest, refuseFault } from './response-fault.js';
import type { TargetFault } from './target-fault.js';

/** Receives a response of an MCP server: `onStart`, messages, and then `onEnd` or `onFailure`. */
export interface MessageResponseListener {
  /** Throws a `BridgeError` to refuse the response. */
  onStart(status: number, headers: ResponseHeaders): void;
  /** `isBody`: the message is the whole body of the response, and neither one of several nor an event. */
  message(bytes: Buffer, isBody: boolean): void;
  oversized(head: Buffer, tail: Buffer): void;
  /** Called when the response is complete. */
  onEnd(): void;
  /** Called if the response cannot be used, or broke off. `detail` is for the log. */
  onFailure(error: BridgeError, detail?: string): void;
}

/** Reads the messages in the response to one request: JSON, or an event stream. */
export class MessageResponse implements ExchangeListener {
  readonly #listener: MessageResponseListener;
  readonly #maxBytes: number;
  readonly #isPaused: () => boolean;
  #exchange: Exchange | undefined;
  #describe: (() => AnsweredRequest) | undefined;
  #events: EventReader | undefined;
  #body: Buffer[] = [];
  #size = 0;
  #isOver = false;

  /** @param isPaused Returns true while nothing more must be read. Call `resume()` after that. */
  constructor(listener: MessageResponseListener, maxBytes: number, isPaused: () => boolean) {
    this.#listener = listener;
    this.#maxBytes = maxBytes;
    this.#isPaused = isPaused;
  }

  /** The id of the last event; undefined if there was none. */
  get lastEventId(): string | undefined {
    return this.#events?.lastEventId;
  }

  /** The time before a new connection that the server asked for. */
  get retryMs(): number | undefined {
    return this.#events?.retryMs;
  }

  /** Says which exchange the response belongs to. `describe` is called only if the response is refused. */
  begin(exchange: Exchange, describe: () => AnsweredRequest): void {
    this.#exchange = exchange;
    this.#describe = describe;
    // The response failed before there was an exchange to abort.
    if (this.#isOver) exchange.abort();
  }

  resume(): void {
    this.#exchange?.resume();
  }

  /** Hangs up. The listener is not called again. */
  abort(): void {
    this.#isOver = true;
    this.#exchange?.abort();
  }

  onStart(status: number, headers: ResponseHeaders): void {
    try {
      refuseFault(status, headers, () => this.#describe?.());
      this.#listener.onStart(status, headers);
    } catch (error) {
      if (!(error instanceof BridgeError)) throw error;
      this.fail(error, `status ${status}`);
      return;
    }
    if (isEventStream(headers)) this.#events = this.#createReader();
  }

  onData(chunk: Buffer): boolean {
    if (this.#isOver) return true;
    if (this.#events !== undefined) this.#events.push(chunk);
    else this.#collect(chunk);
    return !this.#isPaused();
  }

  onEnd(): void {
    if (this.#isOver) return;
    if (this.#events === undefined) this.#deliverBody();
    this.#isOver = true;
    this.#listener.onEnd();
  }

  onFault({ error, detail }: TargetFault): void {
    if (this.#isOver) return;
    this.#isOver = true;
    // The body is a buffer, so its reading does not fail.
    this.#listener.onFailure(error instanceof BodyError ? new BridgeError('target_broke_off') : error, detail);
  }

  /** Ends the response with an error. */
  fail(error: BridgeError, detail?: string): void {
    if (this.#isOver) return;
    this.abort();
    this.#listener.onFailure(error, detail);
  }

  #createReader(): EventReader {
    const listener = this.#listener;
    return new EventReader(this.#maxBytes, {
      message: (bytes) => this.#deliver(bytes),
      oversized: (head, tail) => listener.oversized(head, tail),
    });
  }

  #collect(chunk: Buffer): void {
    this.#size += chunk.length;
    if (this.#size > this.#maxBytes) this.fail(new BridgeError('message_too_large'));
    else this.#body.push(chunk);
  }

  #deliverBody(): void {
    const body = withoutLineEnds(withoutByteOrderMark(Buffer.concat(this.#body)));
    this.#body = [];
    if (skipSpace(body, 0) < body.length) this.#deliver(body);
  }

  #deliver(bytes: Buffer): void {
    const batch = readBatch(bytes);
    if (batch === undefined) this.#listener.message(bytes, this.#events === undefined);
    else for (const message of batch) this.#listener.message(message, false);
  }
}

/** In JSON, line ends are white space outside of strings. In an event stream they would end the data. */
function withoutLineEnds(body: Buffer): Buffer {
  for (const byte of [0x0a, 0x0d]) {
    for (let at = body.indexOf(byte); at >= 0; at = body.indexOf(byte, at + 1)) body[at] = SPACE;
  }
  return body;
}
