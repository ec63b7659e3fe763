import type { ServerResponse } from 'node:http';
import { AuthError } from '../../core/errors.js';
import type { Numbered } from '../../core/short-lived.js';
import { isExpiredOrWithdrawn, withdrawalOf } from '../../core/token-validity.js';
import { isAnswered } from '../../http/answered.js';
import { sendAtEndOfTurn } from '../../http/end-of-turn.js';
import { hasHungUp, onceClosed } from '../../http/hang-up.js';
import { BridgeError } from '../../messages/bridge-error.js';
import {
  type Exchange,
  type ExchangeListener,
  isEventStream,
  type ResponseHeaders,
} from '../../targets/http/exchange.js';
import type { TargetFault } from '../../targets/http/target-fault.js';
import { endOfError, endOfRefusal } from '../../telemetry/outcomes.js';
import { listensOnly } from '../listens.js';
import type { HttpRequest, RelayedMethod } from './http-request.js';
import type { RelayedCalls } from './relayed-calls.js';
import type { RemoteSession, SessionSender } from './remote-sessions.js';

/** Decides what the client gets. */
export interface RelayHost {
  /** Returns the headers that the client gets with a response. Throws if the response cannot be forwarded. */
  headersFor(relay: Relay, status: number, headers: ResponseHeaders): Readonly<Record<string, string>>;
  /** Answers the client with an error. */
  fail(request: HttpRequest, error: unknown, detail?: string): void;
  /** Called if the target breaks off a response that it has begun. */
  onBroken(fault: TargetFault): void;
  /** Called instead of an abort, if the client leaves before the response to a request that may open a session. */
  onAbandoned(relay: Relay, exchange: Exchange): void;
  /** Called if a response arrives after the client has left or was answered. */
  onUnwanted(relay: Relay, status: number, headers: ResponseHeaders): void;
  /** Ends the session that a failed answer has opened. */
  endOpened(session: RemoteSession): void;
  /** Called when the answer is complete, or the client has hung up. */
  onClosed(relay: Relay): void;
}

/** Forwards the response of a target to the client as it arrives. If one side hangs up, the other connection ends too. */
export class Relay implements ExchangeListener, Numbered {
  readonly request: HttpRequest;
  readonly method: RelayedMethod;
  /** Stops counting the request. */
  readonly removeFromCount: () => void;
  number = 0;
  /** The session that the request names, or that its response opens. */
  session: RemoteSession | undefined;
  sender: SessionSender | undefined;
  /** True if the response may open a session, which must not stay open at the target if the client does not learn its id. */
  mayOpenSession = false;
  /** The records of its calls; undefined if nothing listens for them. */
  calls: RelayedCalls | undefined;
  readonly #host: RelayHost;
  #exchange: Exchange | undefined;
  #hasStarted = false;
  /** True until the end of the turn of the event loop in which the response began. */
  #isHeld = false;
  #isComplete = false;
  #isStream = false;
  #isOver = false;
  /** The session that the response has opened. */
  #opened: RemoteSession | undefined;

  constructor(request: HttpRequest, method: RelayedMethod, removeFromCount: () => void, host: RelayHost) {
    this.request = request;
    this.method = method;
    this.removeFromCount = removeFromCount;
    this.#host = host;
    onceClosed(request.res, () => {
      this.abort();
      this.session?.leave();
      host.onClosed(this);
    });
  }

  /** True if the response is an event stream that has begun. */
  get isStream(): boolean {
    return this.#isStream;
  }

  /** True if the target has not begun to answer. */
  get isPending(): boolean {
    return !this.#hasStarted;
  }

  /** True if the response has ended, or was aborted. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Counts `session` as in use until the response is over. */
  use(session: RemoteSession): void {
    if (session === this.session) return;
    this.session?.leave();
    this.session = session;
    session.enter();
  }

  begin(exchange: Exchange): void {
    this.#exchange = exchange;
    if (this.#isOver) exchange.abort();
  }

  onStart(status: number, headers: ResponseHeaders): void {
    this.#hasStarted = true;
    // A middleware may have answered meanwhile, because of a timeout for example.
    if (this.#canWrite && !isAnswered(this.#res)) this.#start(status, headers);
    else {
      this.#host.onUnwanted(this, status, headers);
      this.abort();
    }
  }

  #start(status: number, headers: ResponseHeaders): void {
    const { session } = this;
    try {
      const own = this.#host.headersFor(this, status, headers);
      if (this.session !== session) this.#opened = this.session;
      this.calls?.onStart(status, headers, this.session?.clientId);
      this.#isStream = isEventStream(headers);
      this.#isHeld = true;
      sendAtEndOfTurn(this.#res, () => this.#release());
      this.#res.writeHead(status, own);
      // The first event may come late; clients and proxies wait for the headers.
      if (this.#isStream) this.#res.flushHeaders();
    } catch (error) {
      this.#isOver = true;
      this.#exchange?.discard();
      this.#exchange = undefined;
      if (error instanceof BridgeError) {
        this.calls?.end(endOfError(error));
        this.#host.fail(this.request, error);
      } else this.#breakOff(error);
    }
  }

  onData(chunk: Buffer): boolean {
    if (!this.#canWrite) {
      this.calls?.onData(chunk);
      this.abort();
      return true;
    }
    const isDrained = this.#write(chunk);
    // After the write: a call whose answer cannot be written has failed.
    this.calls?.onData(chunk);
    return isDrained;
  }

  #write(chunk: Buffer): boolean {
    try {
      // Not `!`: a function of the application that replaced the method may return nothing.
      if (this.#res.write(chunk) === false) {
        this.#res.once('drain', () => this.#exchange?.resume());
        return false;
      }
    } catch (error) {
      if (this.#breakOff(error)) this.abort();
    }
    return true;
  }

  /** Returns false, and only logs, if the answer is complete: see `failAnswer()`. */
  #breakOff(thrown: unknown): boolean {
    const isLost = !this.#res.writableEnded;
    if (isLost) this.calls?.end(endOfRefusal('answer_failed'));
    this.request.breakOff(this.#res, thrown);
    if (isLost && this.#opened !== undefined) this.#host.endOpened(this.#opened);
    return isLost;
  }

  #finish(): void {
    try {
      this.#res.end();
    } catch (error) {
      this.#breakOff(error);
    }
  }

  onEnd(): void {
    this.#isOver = true;
    this.#exchange = undefined;
    this.#isComplete = true;
    if (!this.#isHeld) this.#complete();
  }

  #release(): void {
    this.#isHeld = false;
    if (this.#isComplete) this.#complete();
  }

  #complete(): void {
    if (this.#canWrite) this.#finish();
    this.calls?.onEnd();
  }

  onFault(fault: TargetFault): void {
    this.#isOver = true;
    this.#exchange = undefined;
    this.calls?.end(endOfError(fault.error));
    if (!this.#hasStarted) this.#host.fail(this.request, fault.error, fault.detail);
    else {
      this.#host.onBroken(fault);
      // A regular end would tell the client that the response is complete.
      this.#res.destroy();
    }
  }

  /** Aborts the response, and hangs up on the target. */
  abort(): void {
    this.#isOver = true;
    this.calls?.end(endOfRefusal('cancelled'));
    const exchange = this.#exchange;
    this.#exchange = undefined;
    if (exchange?.isSent && this.mayOpenSession && this.isPending) this.#host.onAbandoned(this, exchange);
    else exchange?.abort();
  }

  /**
   * Ends the response if the caller's token is no longer valid. A request without an answer continues after the token has expired,
   * because the tool may have run. It is refused only if the token was withdrawn, or if it only listens.
   */
  checkToken(): void {
    const { auth, req } = this.request;
    // A target can send an endless answer of any type, so this is not only about event streams.
    if (this.#hasStarted || listensOnly(req) ? isExpiredOrWithdrawn(auth) : withdrawalOf(auth) !== undefined) {
      this.end(new AuthError(withdrawalOf(auth) ?? 'token_expired'));
    }
  }

  /** Ends the response early. A stream ends regularly, so that the client resumes it; a request without an answer gets `error`. */
  end(error: unknown): void {
    if (this.#isOver) return;
    this.calls?.end(endOfError(error));
    this.abort();
    if (this.isPending) this.#host.fail(this.request, error);
    else if (this.#isStream) this.#finish();
    else this.#res.destroy();
  }

  get #res(): ServerResponse {
    return this.request.res;
  }

  get #canWrite(): boolean {
    return !hasHungUp(this.#res) && !this.#res.writableEnded;
  }
}
