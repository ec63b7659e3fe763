import type { Numbered } from '../../core/short-lived.js';
import { BridgeError } from '../../messages/bridge-error.js';
import { requestsAnsweredBy } from '../../messages/child-line.js';
import { memberOf } from '../../messages/json-members.js';
import { type RpcMessage, readMessage, readTruncated } from '../../messages/json-rpc.js';
import { numberInText } from '../../messages/number-in-text.js';
import type { Sender } from '../connection.js';
import { errorUnder, readErrorBody } from './error-body.js';
import { isEventStream, type ResponseHeaders } from './exchange.js';
import { versionIn } from './message-headers.js';
import { MessageResponse, type MessageResponseListener } from './message-response.js';
import { RemoteStream, type StreamHost } from './remote-stream.js';
import { mayMeanLostSession } from './target-calls.js';

/** The time in which a server should end a stream that has brought its answer, in milliseconds. Its connection can then be used again. */
const MAX_REST_MS = 500;

/** Statuses after which the same request may succeed later, so they say nothing about what the server supports. */
const TEMPORARY = new Set([408, 425, 429]);

/** The part of a connection that its requests use. */
export interface RequestHost extends StreamHost {
  /** Called when the server begins to answer; throws a `BridgeError` to refuse the answer. */
  onAnswer(request: RemoteRequest, status: number, headers: ResponseHeaders): void;
  /** Delivers the body of a response to a request, if it has a status of 400 or more. */
  onErrorBody(request: RemoteRequest, bytes: Buffer): void;
  /** Called last. `error` is the reason why a request has no answer; undefined if it has one, or needs none. */
  onOver(request: RemoteRequest, error?: BridgeError, detail?: string): void;
}

/** One message on its way to a remote server, and the response to it. */
export class RemoteRequest implements MessageResponseListener, Numbered {
  number = 0;
  readonly sent: RpcMessage;
  readonly sender: Sender;
  /** The revision in its `_meta`, which has no sessions; undefined if it names none. */
  readonly version: string | undefined;
  readonly response: MessageResponse;
  /** Resolves when the server has begun to answer, or will not. */
  readonly accepted: Promise<void>;
  readonly #host: RequestHost;
  #accept: () => void = () => undefined;
  #status = 0;
  #isStream = false;
  #stream: RemoteStream | undefined;
  /** Runs while an answered stream is open. */
  #rest: NodeJS.Timeout | undefined;
  #isOver = false;
  /** `checkSession()` after a status that may mean that the session is lost. */
  #check: Promise<void> | undefined;
  /** An error without the id of the request, which waits for the check. */
  #refusal: Buffer | undefined;
  /** True also for messages that have no answer. */
  #isAnswered: boolean;
  #onAnswered: () => void = () => undefined;

  constructor(sent: RpcMessage, sender: Sender, host: RequestHost) {
    this.sent = sent;
    this.sender = sender;
    this.version = versionIn(sent);
    this.#isAnswered = sent.kind !== 'request';
    this.response = new MessageResponse(this, host.maxMessageBytes, () => host.isPaused);
    this.#host = host;
    this.accepted = new Promise((resolve) => {
      this.#accept = resolve;
    });
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  resume(): void {
    this.response.resume();
    this.#stream?.resume();
  }

  /** Resolves when the answer has arrived, or will not. */
  whenAnswered(): Promise<void> {
    if (this.#isAnswered || this.#isOver) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onAnswered = resolve;
    });
  }

  /** Called when the answer has arrived. */
  answered(): void {
    this.#isAnswered = true;
    this.#onAnswered();
    // A stream that was opened to get the rest of the response would be resumed again and again.
    if (this.#stream !== undefined) this.abort();
    else if (this.#isStream) this.#abortLater();
  }

  /** Hangs up. */
  abort(): void {
    if (this.#isOver) return;
    this.response.abort();
    this.#stream?.abort();
    this.#finish();
  }

  onStart(status: number, headers: ResponseHeaders): void {
    this.#status = status;
    this.#isStream = isEventStream(headers);
    this.#host.onAnswer(this, status, headers);
    if (mayMeanLostSession(status) && this.version === undefined && !this.#isStream) {
      this.#check = this.#host.checkSession(this.sender.auth);
    }
    this.#accept();
    // The answer came on another stream.
    if (this.#isStream && this.#isAnswered && this.sent.kind === 'request') this.#abortLater();
  }

  message(given: Buffer, isBody: boolean): void {
    const { kind, method, key } = this.sent;
    if (kind !== 'request' && !this.#mayDeliver(given)) return;
    const bytes = isBody ? this.#underOwnId(given) : given;
    if (this.#status < 400) this.#host.message(bytes, kind === 'request' ? key : undefined);
    else if (this.#check !== undefined && !this.#isOwnKey(readMessage(given)?.key)) this.#refusal = bytes;
    // An error in answer to this method means that the server does not know it.
    else if (method !== 'server/discover' || !TEMPORARY.has(this.#status)) this.#host.onErrorBody(this, bytes);
  }

  /** An error that is a whole body answers its request, whatever its id: some servers write none (2025-11-25), or one of their own. */
  #underOwnId(body: Buffer): Buffer {
    const { kind, id } = this.sent;
    const error = kind === 'request' ? readErrorBody(body) : undefined;
    return error === undefined || id === undefined || this.#isOwnKey(error.key) ? body : errorUnder(id, error);
  }

  oversized(head: Buffer, tail: Buffer): void {
    const { kind, key } = readTruncated(head, tail);
    if (kind === 'response' && this.#refusesOwn(key)) return;
    this.#host.oversized(head, tail);
  }

  onEnd(): void {
    if (this.#isAnswered) this.#finish();
    else if (this.#isStream) this.#resumeAfter(new BridgeError('target_broke_off'));
    else void this.#finishUnanswered();
  }

  onFailure(error: BridgeError, detail?: string): void {
    if (this.#isAnswered && this.#status !== 0) this.#finish();
    else if (this.#isStream && error.reason === 'target_broke_off') this.#resumeAfter(error, detail);
    else this.#finish(error, detail);
  }

  /**
   * False for what a server answers to a message that needs no answer. A server that refuses the client's response to its own request
   * repeats the id of that request, or writes null. A request of the client may have the same number.
   */
  #mayDeliver(bytes: Buffer): boolean {
    if (this.#status >= 400) return false;
    if (!this.#isStream) return Boolean(readMessage(bytes)?.method);
    // Some servers put messages for other requests on any stream, and a result refuses nothing.
    const members = readMessage(bytes)?.members;
    if (memberOf(members, 'result') !== undefined && memberOf(members, 'error') === undefined) return true;
    const keys = requestsAnsweredBy(bytes);
    return keys === 'any' || !keys.some((key) => this.#refusesOwn(key));
  }

  /** True if a response with this key refuses the response that was sent. */
  #refusesOwn(key: string | undefined): boolean {
    return this.sent.kind === 'response' && this.#isOwnKey(key);
  }

  /** True for the key of the message that was sent. A server may write its number as a string. */
  #isOwnKey(key: string | undefined): boolean {
    return key === this.sent.key || numberInText(key) === this.sent.key;
  }

  /** If the session is lost, the end of the connection ends the request meanwhile. */
  async #finishUnanswered(): Promise<void> {
    if (this.#check !== undefined) await this.#check;
    if (this.#isOver) return;
    if (this.#refusal !== undefined) this.#host.onErrorBody(this, this.#refusal);
    if (this.#isAnswered) this.#finish();
    else this.#finish(this.#noAnswer(), `status ${this.#status} without an answer`);
  }

  #noAnswer(): BridgeError {
    if (!TEMPORARY.has(this.#status)) return new BridgeError('target_malformed');
    return new BridgeError('target_failed', { detail: `status ${this.#status}` });
  }

  /**
   * The server may end an event stream before the answer, so that the client asks for the rest later (2025-11-25). In 2026-07-28, a stream
   * has no rest: a GET would open another one, on which nothing comes.
   */
  #resumeAfter(error: BridgeError, detail?: string): void {
    const { lastEventId, retryMs } = this.response;
    if (lastEventId === undefined || this.version !== undefined) {
      this.#finish(error, detail);
      return;
    }
    this.#stream = new RemoteStream(this.#host, { lastEventId, retryMs, requestKey: this.sent.key }, () => {
      // Not the refusal of our GET, which says nothing about the client's request.
      this.#finish(this.#isAnswered ? undefined : error, detail);
    });
  }

  /** Some servers keep each stream open, and with it a connection. */
  #abortLater(): void {
    this.#rest ??= setTimeout(() => this.abort(), MAX_REST_MS).unref();
  }

  #finish(error?: BridgeError, detail?: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#rest);
    this.#accept();
    this.#onAnswered();
    this.#host.onOver(this, error, detail);
  }
}
