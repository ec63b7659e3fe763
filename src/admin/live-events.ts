import { randomUUID } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ServerResponse } from 'node:http';
import { CALL_CHANNEL, DECISION_CHANNEL } from '../core/channels.js';
import { hasHungUp, onceClosed } from '../http/hang-up.js';
import { asError } from '../http/middleware.js';
import type { AuthDecision } from '../index.js';
import type { CallRecord } from '../telemetry/call-record.js';
import { AdminError } from './admin-error.js';
import { withShortTexts } from './bounded-texts.js';
import { CallNumbers, isFailedCall } from './call-numbers.js';
import { describeDecision, isRefusal } from './decision-event.js';
import type { ErrorHelp } from './error-help.js';
import { EventSampling } from './event-sampling.js';
import { RecentEvents } from './recent-events.js';
import { SeenCallers, type ShownCallers } from './seen-callers.js';

/** Calls, and decisions, that a page gets when it connects. */
const MAX_KEPT = 200;
/** Pages that can be connected at once. */
const MAX_READERS = 20;
/** Bytes of the events of each kind that a page gets when it connects: callers can make them long. Together they are less than may be unread. */
const MAX_KEPT_BYTES = 400_000;
/** Bytes that wait for a page to read them. A page that is slower is disconnected. It connects again by itself. */
const MAX_UNREAD_BYTES = 1_048_576;

const SECOND_MS = 1_000;

interface EventParts {
  readonly help: ReadonlyMap<string, ErrorHelp>;
  /** Replaces the id of a session by its handle. */
  handleOf(sessionId: string): string;
  /** Returns the sums of all routes. */
  load(): { readonly sessions: number; readonly pending: number };
  /** Gets a line about each page that cannot be written to. */
  report(line: string): void;
}

/** An event as a page gets it. */
interface LoggedEvent {
  readonly name: string;
  readonly data: object;
}

/** A call as it is kept. It is described when a page gets it: with no page, events cost next to nothing. */
interface KeptCall {
  readonly id: number;
  readonly record: CallRecord;
}

/** A decision as it is kept. */
interface KeptDecision {
  readonly id: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly decision: AuthDecision;
}

/**
 * Calls and decisions of this process as server-sent events. It listens for them from its creation until `close()`.
 *
 * The first event of a stream has the id of this object. Calls and decisions are numbered, and it has the number of the last one too. With
 * these, a page can tell which events it already has, which came before it was opened, and whether the server was restarted.
 */
export class LiveEvents {
  readonly #serverId = randomUUID();
  readonly #parts: EventParts;
  readonly #calls = new RecentEvents<KeptCall>(MAX_KEPT);
  readonly #decisions = new RecentEvents<KeptDecision>(MAX_KEPT);
  readonly #sampling = new EventSampling();
  readonly #numbers = new CallNumbers();
  readonly #callers = new SeenCallers();
  readonly #readers = new Set<ServerResponse>();
  /** Readers that connect again, and do not take a place any more. */
  readonly #leaving = new Set<ServerResponse>();
  readonly #onCall = (record: unknown) => this.#addCall(record as CallRecord);
  readonly #onDecision = (decision: unknown) => this.#addDecision(decision as AuthDecision);
  #timer: NodeJS.Timeout | undefined;
  #lastId = 0;
  #isClosed = false;

  constructor(parts: EventParts) {
    this.#parts = parts;
    subscribe(CALL_CHANNEL, this.#onCall);
    subscribe(DECISION_CHANNEL, this.#onDecision);
  }

  /** The users and clients that have called since the creation of this object. */
  get callers(): ShownCallers {
    return this.#callers.list();
  }

  /** Sends the last events to a page, and then those that come. */
  connect(res: ServerResponse): void {
    // The page left while the application decided who it is: `close` has already fired, so nothing would remove this reader.
    if (hasHungUp(res)) return;
    if (this.#isClosed || this.#readers.size - this.#leaving.size >= MAX_READERS)
      throw new AdminError(503, 'too_many_pages', `At most ${MAX_READERS} admin pages can be open at once: close one`);
    // A compression middleware or a proxy in front must not wait for more data.
    const headers = { 'cache-control': 'no-store, no-transform', 'x-accel-buffering': 'no' };
    res.writeHead(200, { 'content-type': 'text/event-stream', ...headers });
    res.write(textOf({ name: 'server', data: { id: this.#serverId, lastId: this.#lastId } }));
    res.write(lastOf(this.#calls.all, (call) => this.#describeCall(call)));
    res.write(lastOf(this.#decisions.all, (decision) => this.#describeDecision(decision)));
    res.flushHeaders();
    this.#readers.add(res);
    onceClosed(res, () => this.#disconnect(res));
    if (this.#timer === undefined) this.#begin();
  }

  /** Asks the page of this stream to open another one. Until it closes this one, it gets each event twice, and drops the second by its number. */
  askToReconnect(res: ServerResponse): void {
    if (!this.#readers.has(res)) return;
    this.#leaving.add(res);
    this.#sendTo(res, textOf({ name: 'reconnect', data: {} }));
  }

  close(): void {
    this.#isClosed = true;
    unsubscribe(CALL_CHANNEL, this.#onCall);
    unsubscribe(DECISION_CHANNEL, this.#onDecision);
    for (const res of [...this.#readers]) this.#writeTo(res, () => res.end());
    this.#readers.clear();
    this.#leaving.clear();
    this.#end();
  }

  #begin(): void {
    this.#numbers.next();
    this.#sampling.next();
    this.#timer = setInterval(() => this.#tick(), SECOND_MS).unref();
  }

  #end(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #disconnect(res: ServerResponse): void {
    this.#readers.delete(res);
    this.#leaving.delete(res);
    if (this.#readers.size === 0) this.#end();
  }

  #addCall(record: CallRecord): void {
    const call = { id: this.#nextId(), record };
    this.#calls.add(call);
    this.#callers.add(record);
    if (this.#readers.size === 0) return;
    this.#numbers.addCall(record);
    if (this.#sampling.take(isFailedCall(record) ? 'failedCall' : 'call')) this.#send(this.#describeCall(call));
  }

  #describeCall({ id, record: { content: _, ...record } }: KeptCall): LoggedEvent {
    const { session } = record;
    const handle = session === undefined ? undefined : this.#parts.handleOf(session);
    return { name: 'call', data: { id, ...withShortTexts(record), session: handle } };
  }

  #addDecision(decision: AuthDecision): void {
    const kept = { id: this.#nextId(), time: Date.now(), decision };
    this.#decisions.add(kept);
    if (this.#readers.size === 0) return;
    const isFailure = isRefusal(decision);
    if (isFailure) this.#numbers.addRefusal();
    if (this.#sampling.take(isFailure ? 'refusedLogin' : 'login')) this.#send(this.#describeDecision(kept));
  }

  #describeDecision({ id, time, decision }: KeptDecision): LoggedEvent {
    return { name: 'decision', data: { id, time, ...describeDecision(withShortTexts(decision), this.#parts.help) } };
  }

  #nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  #tick(): void {
    const { seen, shown } = this.#sampling.next();
    if (seen > shown) this.#send({ name: 'sampled', data: { seen, shown } });
    const second = { id: this.#nextId(), time: Date.now(), ...this.#numbers.next(), ...this.#parts.load() };
    this.#send({ name: 'numbers', data: second });
  }

  #send(event: LoggedEvent): void {
    const text = textOf(event);
    for (const res of [...this.#readers]) this.#sendTo(res, text);
  }

  #sendTo(res: ServerResponse, text: string): void {
    // Its `close` may still come, even if the application has ended the answer.
    if (hasHungUp(res) || res.writableEnded) this.#disconnect(res);
    else if (res.writableLength <= MAX_UNREAD_BYTES) this.#writeTo(res, () => res.write(text));
    else {
      this.#disconnect(res);
      res.destroy();
    }
  }

  /** A function of the application that replaces a method of the response may throw, and nothing else catches that: calls and a timer cause events. */
  #writeTo(res: ServerResponse, write: () => unknown): void {
    try {
      write();
    } catch (error) {
      this.#disconnect(res);
      res.destroy();
      this.#parts.report(`the admin page lost its events: ${asError(error, 'the application').name}`);
    }
  }
}

/** The text of the last events, as many as are not too long together. */
function lastOf<Kept>(events: readonly Kept[], describe: (event: Kept) => LoggedEvent): string {
  const texts: string[] = [];
  let bytes = 0;
  for (const event of [...events].reverse()) {
    const text = textOf(describe(event));
    bytes += Buffer.byteLength(text);
    if (bytes > MAX_KEPT_BYTES) break;
    texts.unshift(text);
  }
  return texts.join('');
}

/** JSON has no line ends, so an event is one line of data. */
function textOf({ name, data }: LoggedEvent): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
