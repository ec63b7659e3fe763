import type { AuthInfo } from '../../core/auth-info.js';
import { BridgeError } from '../../messages/bridge-error.js';
import { isEventStream, type ResponseHeaders } from './exchange.js';
import { MessageResponse } from './message-response.js';
import { mayMeanLostSession } from './target-calls.js';

const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;
/** Attempts to resume the answer to a request, without any new event in between. */
const MAX_ATTEMPTS = 5;
/** A stream of a session that was open for this time was opened with success, though nothing came. */
const STEADY_MS = 2_000;
/** An event id that can be sent back in a header. */
const EVENT_ID = /^[\x20-\x7e]{1,1024}$/;

/** The part of a connection that its streams use. */
export interface StreamHost {
  readonly maxMessageBytes: number;
  readonly isPaused: boolean;
  /** Sends the GET. The response may fail before this function returns. */
  get(lastEventId: string | undefined, response: MessageResponse): void;
  /** Asks the server whether it still knows the session. If it does not, the connection has ended when the promise resolves. */
  checkSession(auth?: AuthInfo): Promise<void>;
  logFailure(error: BridgeError, detail?: string): void;
  /** `requestKey` is the key (`keyOf`) of the request in whose response the message came; undefined if it came on another stream. */
  message(bytes: Buffer, requestKey?: string): void;
  oversized(head: Buffer, tail: Buffer): void;
}

/** The point at which to resume a stream: the last event that came, and the wait that the server asked for. */
export interface StreamStart {
  readonly lastEventId: string | undefined;
  readonly retryMs: number | undefined;
  /** The key of the request whose answer goes on. */
  readonly requestKey: string | undefined;
}

/**
 * An event stream that a GET opens: that of a session, or the rest of the answer to a request. If it breaks off, it is resumed after the
 * last event that came.
 */
export class RemoteStream {
  /** Resolves when the server has begun to answer for the first time, or will not. */
  readonly begun: Promise<void>;
  #begin: () => void = () => undefined;
  readonly #host: StreamHost;
  /** Called when the stream is over for good. `isGone`: it was open, and the server no longer knows it. */
  readonly #onOver: (isGone: boolean) => unknown;
  /** True if the stream is the rest of the answer to a request. */
  readonly #isRest: boolean;
  readonly #requestKey: string | undefined;
  readonly #maxAttempts: number;
  #lastEventId: string | undefined;
  #retryMs: number | undefined;
  /** Attempts since there was progress. */
  #attempts = 0;
  /** Attempts since there was a message: a server that only sends new event ids must not be asked without a pause. */
  #quietAttempts = 0;
  /** True once the server has opened the stream. */
  #wasOpen = false;
  /** When the server opened the stream that is open; undefined before it has. */
  #openedAt: number | undefined;
  /** `checkSession()` after a status that may mean that the session is lost. */
  #check: Promise<void> | undefined;
  #response: MessageResponse | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  /** @param start Undefined for the stream of a session. It is opened again for as long as the session lasts. */
  constructor(host: StreamHost, start: StreamStart | undefined, onOver: (isGone: boolean) => unknown) {
    this.begun = new Promise((resolve) => {
      this.#begin = resolve;
    });
    this.#host = host;
    this.#onOver = onOver;
    this.#isRest = start !== undefined;
    this.#requestKey = start?.requestKey;
    this.#maxAttempts = this.#isRest ? MAX_ATTEMPTS : Number.POSITIVE_INFINITY;
    this.#lastEventId = usable(start?.lastEventId);
    this.#retryMs = start?.retryMs;
    if (start === undefined) this.#open();
    else if (this.#lastEventId === undefined) this.#finish();
    else this.#openLater();
  }

  resume(): void {
    this.#response?.resume();
  }

  /** Hangs up, for good. */
  abort(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#response?.abort();
  }

  #open(): void {
    const host = this.#host;
    this.#attempts++;
    this.#quietAttempts++;
    this.#openedAt = undefined;
    this.#check = undefined;
    const response = new MessageResponse(
      {
        onStart: (status, headers) => this.#onStart(status, headers),
        message: (bytes) => {
          this.#attempts = 0;
          this.#quietAttempts = 0;
          host.message(bytes, this.#requestKey);
        },
        oversized: (head, tail) => host.oversized(head, tail),
        onEnd: () => this.#retry(response, new BridgeError('target_broke_off')),
        onFailure: (error, detail) => void this.#fail(response, error, detail),
      },
      host.maxMessageBytes,
      () => host.isPaused,
    );
    this.#response = response;
    host.get(this.#lastEventId, response);
  }

  #onStart(status: number, headers: ResponseHeaders): void {
    this.#begin();
    const isResumed = this.#lastEventId !== undefined;
    // The server may not keep the events after this one any longer.
    if (status === 400 || status === 404) this.#lastEventId = undefined;
    // A server that has no such stream may also say so with 400.
    const isNew = !this.#wasOpen && !this.#isRest;
    if (mayMeanLostSession(status) && !isNew) this.#check = this.#host.checkSession();
    requireStream(status, headers, { wasOpen: this.#wasOpen, isResumed });
    this.#wasOpen = true;
    this.#openedAt = performance.now();
  }

  async #fail(response: MessageResponse, error: BridgeError, detail?: string): Promise<void> {
    if (this.#check !== undefined) await this.#check;
    if (this.#isOver) return;
    this.#host.logFailure(error, detail);
    this.#retry(response, error);
  }

  #retry(response: MessageResponse, error: BridgeError): void {
    if (this.#isOver) return;
    this.#begin();
    this.#noteProgress(usable(response.lastEventId));
    this.#retryMs = response.retryMs ?? this.#retryMs;
    // The rest of an answer comes only after the id of an event.
    const isLost = this.#isRest && this.#lastEventId === undefined;
    const isGone = error.reason === 'session_ended';
    const isFinal = isGone || error.reason === 'method_not_allowed';
    if (isFinal || isLost || this.#attempts >= this.#maxAttempts) this.#finish(isGone);
    else this.#openLater();
  }

  /**
   * Since 2025-11-25, a server may close every stream after an event that has only an id, so that its client polls. Its session stream
   * may have nothing to send at all.
   */
  #noteProgress(eventId: string | undefined): void {
    const isNew = eventId !== undefined && eventId !== this.#lastEventId;
    const isSteady = !this.#isRest && performance.now() - (this.#openedAt ?? Number.POSITIVE_INFINITY) >= STEADY_MS;
    if (isNew || isSteady) this.#attempts = 0;
    if (isSteady) this.#quietAttempts = 0;
    this.#lastEventId = eventId ?? this.#lastEventId;
  }

  #openLater(): void {
    const growing = FIRST_RETRY_MS * 2 ** Math.max(0, this.#attempts - 1);
    // A server may ask for no wait at all. After a few attempts without a message, it is asked at most once a second.
    const min = this.#quietAttempts > MAX_ATTEMPTS ? FIRST_RETRY_MS : 0;
    const ms = Math.min(Math.max(this.#retryMs ?? growing, min), MAX_RETRY_MS);
    this.#timer = setTimeout(() => this.#open(), ms);
    this.#timer.unref();
  }

  #finish(isGone = false): void {
    this.#isOver = true;
    // Not called from the constructor: the owner does not have the stream yet.
    queueMicrotask(() => this.#onOver(isGone));
  }
}

/** The answers of servers that may open the stream later: 409 until they notice that the earlier one broke, and 429 to slow a caller down. */
const LATER: readonly number[] = [408, 409, 425, 429];

/**
 * A server that routes only POST answers GET with 404. Once the stream was open, 404 says that the session is over, or that the server no
 * longer has the events after which the stream should go on.
 *
 * @throws {BridgeError} `method_not_allowed`: the server has no such stream. `session_ended`. `target_failed`: it may have one later.
 */
function requireStream(
  status: number,
  headers: ResponseHeaders,
  { wasOpen, isResumed }: { readonly wasOpen: boolean; readonly isResumed: boolean },
): void {
  if (status === 404 && wasOpen && !isResumed) throw new BridgeError('session_ended');
  const isLater = status >= 500 || LATER.includes(status) || (wasOpen && status >= 400 && status !== 405);
  if (isLater) throw new BridgeError('target_failed', { evidence: 'in answer to the GET of an event stream' });
  if (status >= 400 || !isEventStream(headers)) throw new BridgeError('method_not_allowed');
}

function usable(eventId: string | undefined): string | undefined {
  return eventId !== undefined && EVENT_ID.test(eventId) ? eventId : undefined;
}
