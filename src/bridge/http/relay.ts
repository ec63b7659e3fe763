import type { ServerResponse } from 'node:http';
import { isOver, withdrawalOf } from '../../core/authority.js';
import { AuthError } from '../../core/errors.js';
import { isAnswered } from '../../http/answered.js';
import { hasHungUp, onceClosed } from '../../http/hang-up.js';
import type { Exchange, ExchangeListener, ResponseHeaders } from '../../targets/http/exchange.js';
import type { TargetFault } from '../../targets/http/target-fault.js';
import { isEventStream } from './client-headers.js';
import type { HttpRequest } from './http-request.js';
import type { HeaderRecord } from './read-http-options.js';
import type { RemoteSession } from './remote-sessions.js';

/** The methods of MCP (2025-11-25, Streamable HTTP). */
export const RELAYED_METHODS = ['GET', 'POST', 'DELETE'] as const;

export type RelayedMethod = (typeof RELAYED_METHODS)[number];

/** What a relay needs from the bridge. */
export interface RelayHost {
  /** Returns the headers that the client gets with a response. Throws if the response cannot be forwarded. */
  headersFor(relay: Relay, status: number, headers: ResponseHeaders): Readonly<Record<string, string>>;
  /** Answers the client in place of the target, which gave no usable answer. */
  fail(request: HttpRequest, error: unknown, detail?: string): void;
  /** Called if the target breaks off a response that it has begun. */
  onBroken(fault: TargetFault): void;
  /** Called when the answer is complete, or the client has hung up. */
  onClosed(relay: Relay): void;
}

/** Forwards the target's response to the client as it arrives. If one side hangs up, it closes the connection to the other. */
export class Relay implements ExchangeListener {
  readonly request: HttpRequest;
  readonly method: RelayedMethod;
  /** The session that the request names, or that its response opens. */
  session: RemoteSession | undefined;
  callerHeaders: HeaderRecord | undefined;
  readonly #host: RelayHost;
  #exchange: Exchange | undefined;
  #hasStarted = false;
  #isStream = false;
  #isOver = false;

  constructor(request: HttpRequest, method: RelayedMethod, host: RelayHost) {
    this.request = request;
    this.method = method;
    this.#host = host;
    onceClosed(request.res, () => {
      this.abort();
      this.session?.leave();
      host.onClosed(this);
    });
  }

  /** True if an event stream has begun. */
  get isStream(): boolean {
    return this.#isStream;
  }

  /** True until the target begins to answer. */
  get isPending(): boolean {
    return !this.#hasStarted;
  }

  /** True once nothing more is sent to either side. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Marks `session` as in use until the answer is complete, so that it does not end to make room for another one. */
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
    // Timeout middlewares answer by themselves.
    if (this.#canWrite && !isAnswered(this.#res)) this.#start(status, headers);
    else this.abort();
  }

  #start(status: number, headers: ResponseHeaders): void {
    try {
      const own = this.#host.headersFor(this, status, headers);
      this.#isStream = isEventStream(headers);
      this.#res.writeHead(status, own);
      // Proxies and clients wait for the headers, and the first event may take long.
      if (this.#isStream) this.#res.flushHeaders();
    } catch (error) {
      this.#isOver = true;
      this.#exchange?.discard();
      this.#exchange = undefined;
      this.#host.fail(this.request, error);
    }
  }

  onData(chunk: Buffer): boolean {
    if (!this.#canWrite) this.abort();
    else if (!this.#res.write(chunk)) {
      this.#res.once('drain', () => this.#exchange?.resume());
      return false;
    }
    return true;
  }

  onEnd(): void {
    this.#isOver = true;
    this.#exchange = undefined;
    if (this.#canWrite) this.#res.end();
  }

  onFault(fault: TargetFault): void {
    this.#isOver = true;
    this.#exchange = undefined;
    if (!this.#hasStarted) this.#host.fail(this.request, fault.error, fault.detail);
    else {
      this.#host.onBroken(fault);
      // After end(), the client would take the answer for complete.
      this.#res.destroy();
    }
  }

  /** Hangs up on the target: the client no longer waits. */
  abort(): void {
    this.#isOver = true;
    this.#exchange?.abort();
    this.#exchange = undefined;
  }

  /** Ends the request if its token was withdrawn, and a stream also if its token has expired. */
  checkAuthority(): void {
    const { auth } = this.request;
    if (this.#isStream ? isOver(auth) : withdrawalOf(auth) !== undefined) {
      this.end(new AuthError(withdrawalOf(auth) ?? 'token_expired'));
    }
  }

  /** Ends the answer early. A stream ends normally, so that the client resumes; a client without an answer gets `error`. */
  end(error: unknown): void {
    if (this.#isOver) return;
    this.abort();
    if (this.isPending) this.#host.fail(this.request, error);
    else if (this.#isStream) this.#res.end();
    else this.#res.destroy();
  }

  get #res(): ServerResponse {
    return this.request.res;
  }

  get #canWrite(): boolean {
    return !hasHungUp(this.#res) && !this.#res.writableEnded;
  }
}
