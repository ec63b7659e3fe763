import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AuthInfo } from '../../core/auth-info.js';
import type { Withdrawal } from '../../core/authority.js';
import { isAnswered } from '../../http/answered.js';
import { hasHungUp } from '../../http/hang-up.js';
import { refuserOf } from '../../oauth/refusal.js';
import type { AcceptedForms } from './accepted-forms.js';
import type { EventStream } from './event-stream.js';

/** How one POST wants to be answered, and by what. */
export interface ResponsePlan extends AcceptedForms {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** How many responses end it: one, or those of a batch. */
  readonly responses: number;
  readonly batch: boolean;
  /** The caller: its streams end with its token. */
  readonly auth: AuthInfo | undefined;
  /** Headers that depend on how the request went; asked for when the headers are sent. */
  headers?(stream: boolean): Readonly<Record<string, string>>;
  /** Opens the stream that the answer becomes when more than responses come. */
  openStream(): EventStream;
  /** Called with a response that should drain before more is read from the child. */
  pauseFor(res: ServerResponse): void;
}

/** How long an answer may be quiet before its connection looks dead to proxies, in milliseconds. */
const QUIET_MS = 10_000;

/** Who gets what the child says about one request. */
export interface Recipient {
  /** True if it has become a stream. */
  readonly streaming: boolean;
  /** In whose name; undefined also where we ask ourselves. */
  readonly auth: AuthInfo | undefined;
  notify(message: Buffer): void;
  respond(message: Buffer, status?: number): void;
  tick(now: number, keepAlive: boolean): void;
  /** Ends it without a response. */
  finish(): void;
  /** Ends it, where no answer was begun, with what `mcpAuth()` says of a token that was withdrawn. */
  refuse(withdrawal: Withdrawal): void;
}

/** The answer to one POST: JSON as long as nothing but responses comes, an event stream from the first other message on. */
export class PostResponse implements Recipient {
  readonly #plan: ResponsePlan;
  readonly #since = performance.now();
  #stream: EventStream | undefined;
  #left: number;
  #collected: Buffer[] | undefined;

  constructor(plan: ResponsePlan) {
    this.#plan = plan;
    this.#left = plan.responses;
    if (!plan.json) this.#open();
  }

  /** True if the client is still connected. */
  get connected(): boolean {
    return this.#stream ? this.#stream.connected : this.#untouched;
  }

  // Some middlewares answer themselves after a while; what they left behind is not ours to write to.
  get #untouched(): boolean {
    return !hasHungUp(this.#plan.res) && !isAnswered(this.#plan.res);
  }

  get streaming(): boolean {
    return this.#stream !== undefined;
  }

  get auth(): AuthInfo | undefined {
    return this.#plan.auth;
  }

  /** True if messages other than responses can go here. */
  get streams(): boolean {
    return this.#plan.stream;
  }

  /** Sends a message that is no response, to a client that takes such. */
  notify(message: Buffer): void {
    if (this.streams) this.#drain(this.#open().send(message));
  }

  /** Sends a response; the last one ends the answer. `status` counts where it is not a stream. */
  respond(message: Buffer, status = 200): void {
    this.#left--;
    if (this.#stream) {
      this.#drain(this.#stream.send(message, true));
      if (this.#left === 0) this.#stream.end();
    } else if (!this.#plan.batch) this.#reply(message, status);
    else {
      this.#collected ??= [];
      // A copy: the line belongs to a chunk that would otherwise be kept until the batch is done.
      this.#collected.push(Buffer.from(message));
      if (this.#left === 0) this.#reply(Buffer.from(`[${this.#collected.join(',')}]`), 200);
    }
  }

  /** What has to happen as time passes; a quiet answer becomes a stream, so that nobody takes it for dead. */
  tick(now: number, keepAlive: boolean): void {
    if (this.#stream) this.#stream.tick(keepAlive);
    else if (keepAlive && now - this.#since >= QUIET_MS && this.#plan.stream && this.connected) this.#open();
  }

  finish(): void {
    this.#open().end();
  }

  refuse(withdrawal: Withdrawal): void {
    const { req, res } = this.#plan;
    if (this.#untouched) refuserOf(req)?.(req, res, withdrawal, { scopes: [] });
  }

  #open(): EventStream {
    if (this.#stream) return this.#stream;
    const stream = this.#plan.openStream();
    this.#stream = stream;
    const { res, headers } = this.#plan;
    if (this.#untouched) {
      for (const [name, value] of Object.entries(headers?.(true) ?? {})) res.setHeader(name, value);
      stream.attach(res, this.#plan.auth);
    }
    for (const message of this.#collected ?? []) stream.send(message, true);
    this.#collected = undefined;
    return stream;
  }

  #reply(message: Buffer, status: number): void {
    const { res, headers } = this.#plan;
    if (!this.#untouched) return;
    const own = { 'content-type': 'application/json', 'content-length': message.length };
    res.writeHead(status, headers === undefined ? own : { ...own, ...headers(false) });
    res.end(message);
    if (res.writableLength > res.writableHighWaterMark) this.#plan.pauseFor(res);
  }

  #drain(slow: ServerResponse | undefined): void {
    if (slow) this.#plan.pauseFor(slow);
  }
}
