import type { ServerResponse } from 'node:http';
import type { AuthInfo } from '../../core/auth-info.js';
import { forwardedRequestId } from '../../core/request-id.js';
import { isExpiredOrWithdrawn, type Withdrawal, withdrawalOf } from '../../core/token-validity.js';
import { isAnswered } from '../../http/answered.js';
import { hasHungUp } from '../../http/hang-up.js';
import { NO_SNIFF } from '../../http/no-sniff.js';
import { PARAMETER_PREFIX } from '../../messages/header-value.js';
import { refuserOf } from '../../oauth/refusal.js';
import type { AcceptedForms } from './accepted-forms.js';
import type { EventStream } from './event-stream.js';
import { type OpenAnswer, tryWrite } from './open-answer.js';

/** The request and the form of the answer to one POST. */
export interface ResponsePlan extends AcceptedForms {
  /** The POST. Its stream ends with the caller's token. */
  readonly request: OpenAnswer;
  /** The number of JSON-RPC responses that complete the answer: one, or those of a batch. */
  readonly responses: number;
  readonly batch: boolean;
  /** Returns headers that depend on the outcome of the request; called when the headers are sent. */
  headers?(stream: boolean): Readonly<Record<string, string>>;
  /** Opens the event stream that the answer becomes if the MCP server sends more than responses. */
  openStream(): EventStream;
  /** Called with an HTTP response that must drain before more is read from the MCP server. */
  pauseFor(res: ServerResponse): void;
}

/** An answer that is quiet for longer becomes an event stream: proxies may close a quiet connection. In milliseconds. */
const QUIET_MS = 10_000;

/** Receives what the MCP server sends about one request. */
export interface Recipient {
  /** True if the answer has become an event stream. */
  readonly isStreaming: boolean;
  /**
   * True if the answer ends when its token expires: an event stream from which an event was sent. Any other answer still brings the response,
   * and nothing else; it ends only when its token is withdrawn.
   */
  readonly endsWithToken: boolean;
  /** The caller; undefined if anonymous, and for requests of the bridge itself. */
  readonly auth: AuthInfo | undefined;
  readonly parameters?: readonly string[];
  readonly requestId?: string | undefined;
  notify(message: Buffer): void;
  respond(message: Buffer, status?: number): void;
  tick(now: number, keepAlive: boolean): void;
  /** Ends the answer without a response. */
  finish(): void;
  /** Answers with the refusal of `mcpAuth()` for a withdrawn token, if nothing was sent yet. */
  refuse(withdrawal: Withdrawal): void;
}

/** The answer to one POST: JSON if the MCP server sends nothing but responses, an event stream from its first other message on. */
export class PostResponse implements Recipient {
  readonly #plan: ResponsePlan;
  readonly #since = performance.now();
  #stream: EventStream | undefined;
  #left: number;
  #collected: Buffer[] | undefined;
  #hasFailed = false;
  #hasWritten = false;

  /** Begins the answer if the client accepts nothing but an event stream. `hasFailed` is true if that failed: nothing is to be sent then. */
  constructor(plan: ResponsePlan) {
    this.#plan = plan;
    this.#left = plan.responses;
    if (plan.json) return;
    const stream = this.#open();
    if (this.#hasFailed) stream.end();
  }

  /** True if a function of the application threw before the answer had begun. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** True if the client is still connected. */
  get connected(): boolean {
    return this.#stream ? this.#stream.connected : this.#isUnanswered;
  }

  // Some middlewares answer a request themselves after a while (timeouts): nothing may be written after that.
  get #isUnanswered(): boolean {
    const { res } = this.#plan.request;
    return !this.#hasFailed && !hasHungUp(res) && !isAnswered(res);
  }

  /** True if another middleware has answered the client in full, because of a timeout for example. */
  get isReplaced(): boolean {
    return this.#plan.request.res.writableFinished && !this.#hasWritten;
  }

  get isStreaming(): boolean {
    return this.#stream !== undefined;
  }

  // The bridge opens the stream of a quiet answer. Before 2025-11-25 it begins without an id, so the client could not resume it.
  get endsWithToken(): boolean {
    return this.#stream?.hasSent ?? false;
  }

  get auth(): AuthInfo | undefined {
    return this.#plan.request.auth;
  }

  get requestId(): string | undefined {
    return forwardedRequestId(this.#plan.request.req);
  }

  /** The headers that repeat parameters of a tool, as the client sent them: names and values, alternating. */
  get parameters(): readonly string[] {
    return Object.entries(this.#plan.request.req.headers).flatMap(([name, value]) =>
      name.startsWith(PARAMETER_PREFIX) && typeof value === 'string' ? [name, value] : [],
    );
  }

  /** True if the client accepts messages other than responses here, and its token still allows them. */
  get acceptsStream(): boolean {
    return this.#plan.stream && (this.endsWithToken || !isExpiredOrWithdrawn(this.auth));
  }

  /** True if the client accepts requests of the MCP server here: see `ask()`. */
  get acceptsRequests(): boolean {
    return this.acceptsStream || (this.#plan.stream && withdrawalOf(this.auth) === undefined);
  }

  /** Sends a message other than a response, if the client accepts an event stream. */
  notify(message: Buffer): void {
    if (this.acceptsStream) this.#drain(this.#open().send(message));
  }

  /**
   * Sends a request of the MCP server, which waits for the client's response. If the token has expired, the stream then ends: its events must
   * have ids, so that the client resumes it with a new token.
   */
  ask(request: Buffer): void {
    if (this.acceptsRequests) this.#drain(this.#open().send(request));
  }

  /** Sends a response; the last one ends the answer. `status` is used unless the answer is a stream or a batch. */
  respond(message: Buffer, status = 200): void {
    this.#left--;
    if (this.#stream) {
      this.#drain(this.#stream.send(message, true));
      if (this.#left === 0) this.#stream.end();
    } else if (!this.#plan.batch) this.#reply(message, status);
    else {
      this.#collected ??= [];
      // A copy: the message is part of a larger chunk, which would otherwise stay in memory until the batch is complete.
      this.#collected.push(Buffer.from(message));
      if (this.#left === 0) this.#reply(Buffer.from(`[${this.#collected.join(',')}]`), 200);
    }
  }

  /** Called every second. A quiet answer becomes a stream, whose keep-alive comments keep proxies from closing the connection. */
  tick(now: number, keepAlive: boolean): void {
    if (this.#stream) this.#stream.tick(keepAlive, !this.endsWithToken);
    else if (keepAlive && now - this.#since >= QUIET_MS && this.#plan.stream && this.connected) this.#open();
  }

  finish(): void {
    this.#open().end();
  }

  refuse(withdrawal: Withdrawal): void {
    const { req, res } = this.#plan.request;
    if (!this.#isUnanswered) return;
    this.#write(() => refuserOf(req)?.(req, res, withdrawal, { scopes: [] }));
  }

  #open(): EventStream {
    if (this.#stream) return this.#stream;
    const stream = this.#plan.openStream();
    this.#stream = stream;
    this.#write(() => this.#begin(stream));
    for (const message of this.#collected ?? []) stream.send(message, true);
    this.#collected = undefined;
    return stream;
  }

  #begin(stream: EventStream): void {
    if (!this.#isUnanswered) return;
    const { request, headers } = this.#plan;
    for (const [name, value] of Object.entries(headers?.(true) ?? {})) request.res.setHeader(name, value);
    this.#hasWritten = true;
    stream.attach(request);
  }

  #reply(message: Buffer, status: number): void {
    const { headers } = this.#plan;
    const { res } = this.#plan.request;
    if (!this.#isUnanswered) return;
    this.#hasWritten = true;
    const own = { 'content-type': 'application/json', 'content-length': message.length, ...NO_SNIFF };
    this.#write(() => {
      res.writeHead(status, headers === undefined ? own : { ...own, ...headers(false) });
      res.end(message);
    });
    if (!this.#hasFailed && res.writableLength > res.writableHighWaterMark) this.#plan.pauseFor(res);
  }

  #write(write: () => void): void {
    if (!tryWrite(this.#plan.request, write)) this.#hasFailed = true;
  }

  #drain(slow: ServerResponse | undefined): void {
    if (slow) this.#plan.pauseFor(slow);
  }
}
