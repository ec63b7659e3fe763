import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from '../core/logger.js';
import { createCountedLines } from '../core/rare-line.js';
import { hasHungUp, onceClosed } from '../http/hang-up.js';

/** Bytes a second that a client must read on average. */
const MIN_RATE = 65_536;
/** The progress of a client is checked so many times in the time in which it must read something. */
const SAMPLES = 10;

/** The side of a connection that is read from. */
export interface PausableSource {
  pause(): void;
  resume(): void;
}

/** Logs that a client was disconnected. `fault` says what it did. */
export type DisconnectionLog = (fault: string) => void;

/** Creates the log of the clients of one backend that are disconnected: one line a minute for each fault. */
export function createDisconnectionLog(who: string, logger: Logger): DisconnectionLog {
  const count = createCountedLines<string>();
  return (fault) =>
    count(fault, (more) =>
      logger.warn(`${who}: a client was disconnected before it had its whole answer: ${fault}${more}`),
    );
}

/** Pauses a connection while clients are slow to read its messages. */
export class SlowReaders {
  readonly #source: PausableSource;
  readonly #log: DisconnectionLog;
  readonly #answers = new Map<ServerResponse, SlowAnswer>();

  constructor(source: PausableSource, log: DisconnectionLog) {
    this.#source = source;
    this.#log = log;
  }

  /**
   * Stops reading from the source until `res` has drained: a slow client slows its server down and does not fill the heap. So that it
   * cannot stop the server for good, a client is disconnected if it reads nothing for `maxQuietMs`, or byte by byte.
   */
  pauseFor(res: ServerResponse, maxQuietMs: number): void {
    if (hasHungUp(res)) return;
    const known = this.#answers.get(res);
    if (known !== undefined) {
      known.addTime();
      return;
    }
    if (this.#answers.size === 0) this.#source.pause();
    const answer = new SlowAnswer(res, maxQuietMs, this.#log);
    this.#answers.set(res, answer);
    const release = (): void => {
      answer.stop();
      stopWaiting();
      res.off('drain', release);
      res.off('finish', release);
      this.#answers.delete(res);
      if (this.#answers.size === 0) this.#source.resume();
    };
    res.on('drain', release);
    res.on('finish', release);
    const stopWaiting = onceClosed(res, release);
  }
}

/** An answer that waits for its client, and the time that the client has. */
class SlowAnswer {
  readonly #res: ServerResponse;
  readonly #maxQuietMs: number;
  readonly #log: DisconnectionLog;
  readonly #timer: NodeJS.Timeout;
  #taken: number | undefined;
  /** The time at which the system was last seen to take something. */
  #takenAt = performance.now();
  #deadline = 0;

  constructor(res: ServerResponse, maxQuietMs: number, log: DisconnectionLog) {
    this.#res = res;
    this.#maxQuietMs = maxQuietMs;
    this.#log = log;
    this.#taken = takenFrom(res.req.socket);
    this.addTime();
    this.#timer = setInterval(() => this.#check(), maxQuietMs / SAMPLES);
  }

  /** Gives the client time for everything that waits. */
  addTime(): void {
    this.#deadline = performance.now() + this.#maxQuietMs + (this.#res.writableLength / MIN_RATE) * 1_000;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #check(): void {
    // The socket of the request: a response that is queued behind another one has no socket yet.
    const { socket } = this.#res.req;
    const now = performance.now();
    const taken = takenFrom(socket);
    if (taken === undefined || taken !== this.#taken) this.#takenAt = now;
    this.#taken = taken;
    const isQuiet = now - this.#takenAt >= this.#maxQuietMs;
    if (!isQuiet && now < this.#deadline) return;
    this.stop();
    this.#log(isQuiet ? `it read nothing for ${this.#maxQuietMs / 1_000} s` : 'it read less than 64 KiB a second');
    socket.destroy();
  }
}

interface Handle {
  readonly bytesWritten?: number;
  readonly writeQueueSize?: number;
  /** The handle of the TCP connection below TLS. */
  readonly _parent?: Handle;
}

/**
 * Returns how many bytes the system has taken from a connection; undefined if Node does not say. The public members of a socket count
 * a long message as written only when all of it is, as does the handle of TLS. Node itself reads this before it times a connection out.
 */
function takenFrom(socket: Socket): number | undefined {
  const { _handle: handle } = socket as { readonly _handle?: Handle | null };
  const { bytesWritten, writeQueueSize } = handle?._parent ?? handle ?? {};
  return bytesWritten === undefined || writeQueueSize === undefined ? undefined : bytesWritten - writeQueueSize;
}
