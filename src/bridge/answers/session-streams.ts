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
    for (const [old, kept] of this.#posts) if (kept.done && !this.#log.has(old)) this.#posts.delete(old);
    this.#posts.set(number, stream);
    return stream;
  }

  /** Called every second. */
  tick(now: number, keepAlive: boolean): void {
    this.standalone.tick(keepAlive);
    this.#log.tick(now);
  }

  /**
   * Continues, on `answer`, the stream of the event `lastEventId` after that event; without an id, the standalone stream.
   *
   * @throws {BridgeError} `events_gone`.
   */
  resume(lastEventId: string | undefined, answer: OpenAnswer): void {
    if (lastEventId === undefined) {
      if (tryWrite(answer, () => this.standalone.attach(answer))) this.standalone.replay();
      return;
    }
    const [, number = '', event = ''] = /^(\d{1,15})-(\d{1,15})$/.exec(lastEventId) ?? [];
    const stream = number === '0' ? this.standalone : this.#posts?.get(Number(number));
    if (stream === undefined || !stream.canReplayFrom(Number(event))) throw new BridgeError('events_gone');
    if (tryWrite(answer, () => stream.attach(answer, Number(event)))) stream.replay(Number(event));
  }
}
