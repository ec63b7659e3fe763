import { replyEmpty } from '../../http/reply.js';
import { BridgeError } from '../../messages/bridge-error.js';
import { EventLog } from './event-log.js';
import { EventStream } from './event-stream.js';
import { type OpenAnswer, tryWrite } from './open-answer.js';

const STANDALONE = 0;

/** The event streams of one session: the standalone stream, and those that answer POSTs, for as long as they can be resumed. */
export class SessionStreams {
  readonly standalone: EventStream;
  readonly #log = new EventLog();
  readonly #sendsInitialEvent: () => boolean;
  #posts: Map<number, EventStream> | undefined;
  #count = STANDALONE;

  constructor(sendsInitialEvent: () => boolean) {
    this.#sendsInitialEvent = sendsInitialEvent;
    this.standalone = new EventStream({ log: this.#log, number: STANDALONE, sendsInitialEvent });
  }

  /** Opens a stream that answers a POST. */
  open(): EventStream {
    const number = ++this.#count;
    const stream = new EventStream({ log: this.#log, number, sendsInitialEvent: this.#sendsInitialEvent });
    this.#posts ??= new Map();
    for (const [old, kept] of this.#posts) if (kept.isDone && !this.#log.has(old)) this.#posts.delete(old);
    this.#posts.set(number, stream);
    return stream;
  }

  /** Called every second. */
  tick(now: number, keepAlive: boolean): void {
    this.standalone.tick(keepAlive);
    this.#log.tick(now);
  }

  /**
   * Continues, on `answer`, the stream of the event `lastEventId` after that event; without an id, the standalone stream. Answers 204 if that
   * event ended the stream.
   *
   * @throws {BridgeError} `events_gone`.
   */
  resume(lastEventId: string | undefined, answer: OpenAnswer): void {
    if (lastEventId === undefined) {
      if (tryWrite(answer, () => this.standalone.attach(answer))) this.standalone.replay();
      return;
    }
    const { stream, event } = this.#find(lastEventId) ?? {};
    if (stream === undefined || event === undefined) throw new BridgeError('events_gone');
    if (stream.endsAfter(event)) {
      stream.mark(true);
      // After an empty stream, SDK v1 would ask again forever, as a second listener on the standalone stream: it does not count an error as
      // the response. 204 tells clients not to reconnect (HTML, Server-sent events).
      tryWrite(answer, () => replyEmpty(answer.res, 204));
    } else if (tryWrite(answer, () => stream.attach(answer, event))) stream.replay(event);
  }

  /** True if a client that sends `lastEventId` continues a stream that answers a POST and has ended: it gets the rest at once. */
  canFinish(lastEventId: string | undefined): boolean {
    const stream = lastEventId === undefined ? undefined : this.#find(lastEventId)?.stream;
    return stream !== undefined && stream !== this.standalone && stream.isDone;
  }

  /** True while a client takes an answer from a stream that broke, or can be expected to come back for it. */
  isAwaited(now: number): boolean {
    for (const stream of this.#posts?.values() ?? []) if (stream.isAwaited(now)) return true;
    return false;
  }

  /** Finds the stream of an event, if every event after it is still kept. */
  #find(eventId: string): { readonly stream: EventStream; readonly event: number } | undefined {
    const [, number = '', digits = ''] = /^(\d{1,15})-(\d{1,15})$/.exec(eventId) ?? [];
    const stream = number === '0' ? this.standalone : this.#posts?.get(Number(number));
    const event = Number(digits);
    return stream?.canReplayFrom(event) ? { stream, event } : undefined;
  }
}
