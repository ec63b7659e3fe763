import type { ServerResponse } from 'node:http';
import { isOver, withdrawalOf } from '../../core/authority.js';
import { AuthError } from '../../core/errors.js';
import { isAnswered } from '../../http/answered.js';
import { hasHungUp } from '../../http/hang-up.js';
import type { Exchange, ExchangeListener, ResponseHeaders } from '../../targets/http/exchange.js';
import type { TargetFault } from '../../targets/http/target-fault.js';
import type { BridgeRequest } from '../bridge-request.js';
import { isEventStream } from './client-headers.js';

/** What becomes of a response. */
export interface RelayPlan {
  /** The headers that the client gets with it. Throws where it cannot be passed on. */
  headersFor(status: number, headers: ResponseHeaders): Readonly<Record<string, string>>;
  /** Answers the client in place of the target, which has not answered, or not usefully. */
  fail(error: unknown, detail?: string): void;
  /** The target broke off what it had begun. */
  onBroken(fault: TargetFault): void;
}

/** Passes the target's response on to the client as it comes, and hangs up on the one where the other hung up. */
export class Relay implements ExchangeListener {
  readonly #request: BridgeRequest;
  readonly #plan: RelayPlan;
  #exchange: Exchange | undefined;
  #hasStarted = false;
  #isStream = false;
  #isOver = false;

  constructor(request: BridgeRequest, plan: RelayPlan) {
    this.#request = request;
    this.#plan = plan;
  }

  /** True if it is an event stream, which has begun. */
  get isStream(): boolean {
    return this.#isStream;
  }

  /** True if the target has not begun to answer. */
  get isPending(): boolean {
    return !this.#hasStarted;
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
      const own = this.#plan.headersFor(status, headers);
      this.#isStream = isEventStream(headers);
      this.#res.writeHead(status, own);
      // Proxies and clients wait for the headers; nothing else may come for a long time.
      if (this.#isStream) this.#res.flushHeaders();
    } catch (error) {
      this.#isOver = true;
      this.#exchange?.discard();
      this.#exchange = undefined;
      this.#plan.fail(error);
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
    if (!this.#hasStarted) this.#plan.fail(fault.error, fault.detail);
    else {
      this.#plan.onBroken(fault);
      // An end would say that it was all.
      this.#res.destroy();
    }
  }

  /** Nobody waits for the response any more. */
  abort(): void {
    this.#isOver = true;
    this.#exchange?.abort();
  }

  /** Ends what a token was good for that is not good any more. */
  checkAuthority(): void {
    const { auth } = this.#request;
    if (this.#isStream ? isOver(auth) : withdrawalOf(auth) !== undefined) this.end(this.#refusal);
  }

  /** Ends it early: a stream as streams end, so that the client resumes; a request that was not answered, with `error`. */
  end(error: unknown): void {
    if (this.#isOver) return;
    this.abort();
    if (this.isPending) this.#plan.fail(error);
    else if (this.#isStream) this.#res.end();
    else this.#res.destroy();
  }

  get #res(): ServerResponse {
    return this.#request.res;
  }

  get #canWrite(): boolean {
    return !hasHungUp(this.#res) && !this.#res.writableEnded;
  }

  get #refusal(): AuthError {
    return new AuthError(withdrawalOf(this.#request.auth) ?? 'token_expired');
  }
}
