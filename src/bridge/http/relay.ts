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

/** What becomes of responses. */
export interface RelayHost {
  /** The headers that the client gets with a response. Throws where it cannot be passed on. */
  headersFor(relay: Relay, status: number, headers: ResponseHeaders): Readonly<Record<string, string>>;
  /** Answers the client in place of the target, which has not answered, or not usefully. */
  fail(request: HttpRequest, error: unknown, detail?: string): void;
  /** The target broke off what it had begun. */
  onBroken(fault: TargetFault): void;
  /** The answer is over, or the client has hung up. */
  onClosed(relay: Relay): void;
}

/** Passes the target's response on to the client as it comes, and hangs up on the one where the other hung up. */
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

  /** True if it is an event stream, which has begun. */
  get isStream(): boolean {
    return this.#isStream;
  }

  /** True if the client waits, and has got nothing yet. */
  get isPending(): boolean {
    return !this.#hasStarted;
  }

  /** True if nothing more is to be sent on either side. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Keeps `session` from making room for another one until the answer is over. */
  attend(session: RemoteSession): void {
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
    // Some middlewares answer themselves after a while.
    if (this.#canWrite && !isAnswered(this.#res)) this.#start(status, headers);
    else this.abort();
  }

  #start(status: number, headers: ResponseHeaders): void {
    try {
      const own = this.#host.headersFor(this, status, headers);
      this.#isStream = isEventStream(headers);
      this.#res.writeHead(status, own);
      // Proxies and clients wait for the headers; nothing else may come for a long time.
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
      // An end would say that it was all.
      this.#res.destroy();
    }
  }

  /** Nobody waits for the response any more. */
  abort(): void {
    this.#isOver = true;
    this.#exchange?.abort();
    this.#exchange = undefined;
  }

  /** Ends what a token was good for that is not good any more. */
  checkAuthority(): void {
    const { auth } = this.request;
    if (this.#isStream ? isOver(auth) : withdrawalOf(auth) !== undefined) {
      this.end(new AuthError(withdrawalOf(auth) ?? 'token_expired'));
    }
  }

  /** Ends it early: a stream as streams end, so that the client resumes; a request that was not answered, with `error`. */
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
