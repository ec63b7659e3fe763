import type { ServerResponse } from 'node:http';

/** The side of a connection that is read from. */
export interface PausableSource {
  pause(): void;
  resume(): void;
}

/** The clients that are slow to read what one connection has sent them. */
export class SlowReaders {
  readonly #source: PausableSource;
  readonly #responses = new Set<ServerResponse>();

  constructor(source: PausableSource) {
    this.#source = source;
  }

  /**
   * Stops reading from the source until `res` has drained: a slow client slows its server down and does not fill the heap. A client
   * that has not read everything after `maxDrainMs` is disconnected, so that it cannot stop the server for good, not even by reading
   * byte by byte.
   */
  pauseFor(res: ServerResponse, maxDrainMs: number): void {
    if (this.#responses.has(res) || res.destroyed) return;
    if (this.#responses.size === 0) this.#source.pause();
    this.#responses.add(res);
    // The socket of the request: a response that is queued behind another one has no socket yet, and emits no 'close'.
    const { socket } = res.req;
    const stalled = setTimeout(() => socket.destroy(), maxDrainMs);
    const release = (): void => {
      clearTimeout(stalled);
      socket.off('close', release);
      res.off('drain', release).off('finish', release).off('close', release);
      this.#responses.delete(res);
      if (this.#responses.size === 0) this.#source.resume();
    };
    res.on('drain', release).on('finish', release).on('close', release);
    socket.on('close', release);
  }
}
