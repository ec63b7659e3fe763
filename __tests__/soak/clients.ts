import type { Headers } from '../support/mcp-requests.js';
import { type Answer, callStateless, callTool, openSession } from './calls.js';

/** The ways in which clients use a route. */
export type Use = 'session' | 'without session' | '2026-07-28';

/** A call, as its client saw it. */
export interface Outcome {
  readonly path: string;
  readonly began: number;
  readonly ended: number;
  /** The id of its session, and when that was opened. */
  readonly session: string | undefined;
  readonly openedAt: number;
  readonly status: number;
  /** Undefined for the right answer. */
  readonly problem: string | undefined;
}

export interface ClientSettings {
  readonly url: string;
  readonly use: Use;
  readonly headers: Headers;
  readonly random: () => number;
  /** The tool to call next; by default one that repeats its argument. */
  readonly nextTool?: (() => string) | undefined;
  /** True for the right answer of the default tool. */
  isRight(text: string | undefined, message: string): boolean;
}

/** A client that calls one route again and again, and begins a new session when its own is unknown. */
export class SoakClient {
  readonly outcomes: Outcome[] = [];
  readonly #settings: ClientSettings;
  #session: string | undefined;
  #openedAt = 0;
  #calls = 0;

  constructor(settings: ClientSettings) {
    this.#settings = settings;
  }

  /** Calls with pauses until `isOver`, then ends its session. */
  async run(isOver: () => boolean): Promise<void> {
    const { random } = this.#settings;
    while (!isOver()) {
      if (this.#settings.use === 'session' && this.#session === undefined) await this.#open();
      else await this.#call();
      await new Promise((resolve) => setTimeout(resolve, 50 + random() * 300));
    }
    await this.#end();
  }

  async #open(): Promise<void> {
    const began = performance.now();
    const answer = await openSession(this.#settings.url, this.#settings.headers);
    this.#openedAt = began;
    this.#session = answer.status === 200 ? (answer.session ?? undefined) : undefined;
    this.#record(began, answer, this.#session !== undefined);
  }

  async #call(): Promise<void> {
    const { url, use, headers, nextTool, isRight } = this.#settings;
    const message = `${new URL(url).pathname} ${++this.#calls}`;
    const tool = nextTool?.() ?? 'echo';
    const began = performance.now();
    const call = use === '2026-07-28' ? callStateless : callTool;
    const session: Headers = this.#session === undefined ? {} : { 'mcp-session-id': this.#session };
    const answer = await call(url, { ...headers, ...session }, this.#calls, tool, { message });
    this.#record(began, answer, tool === 'echo' ? isRight(answer.text, message) : answer.status !== 0);
    // A server that sends no answer may have ended with the session.
    if (answer.status !== 200) this.#session = undefined;
  }

  async #end(): Promise<void> {
    const { url, headers } = this.#settings;
    if (this.#session === undefined) return;
    const answer = await fetch(url, { method: 'DELETE', headers: { ...headers, 'mcp-session-id': this.#session } });
    await answer.text();
  }

  #record(began: number, { status, detail }: Answer, isRight: boolean): void {
    this.outcomes.push({
      path: new URL(this.#settings.url).pathname,
      began,
      ended: performance.now(),
      session: this.#session,
      openedAt: this.#openedAt,
      status,
      problem: isRight ? undefined : `${status} ${detail}`,
    });
  }
}
