import type { ServerResponse } from 'node:http';
import { IdleWaits } from '../core/idle-waits.js';
import { createPrivateMember } from '../core/private-member.js';
import { type Numbered, ShortLivedSet } from '../core/short-lived.js';
import { atEndOfTurn } from '../http/end-of-turn.js';
import { onceClosed } from '../http/hang-up.js';
import type { Middleware } from '../index.js';

const arrivals = createPrivateMember<Numbered>();

/** The requests of a route that are not refused, answered or known to the backend yet, for example because a key set is fetched. */
export class ArrivingRequests {
  readonly #arriving = new ShortLivedSet<Numbered>();
  /** The request that arrives in this turn of the event loop. */
  #entering: ServerResponse | undefined;
  readonly #waits = new IdleWaits();

  get isEmpty(): boolean {
    return this.#arriving.size === 0;
  }

  /** The first middleware of the route. */
  readonly enter: Middleware = (_req, res, next) => {
    this.#entering = res;
    next();
    // Most requests have reached the backend now.
    if (this.#entering !== res) return;
    this.#entering = undefined;
    const arrival = { number: 0 };
    arrivals.set(res, arrival);
    this.#arriving.add(arrival);
    onceClosed(res, () => this.#remove(arrival));
  };

  /** The middleware before the backend. */
  readonly leave: Middleware = (req, res, next) => {
    // The backend counts the request in this turn of the event loop.
    const remove = (): void => void atEndOfTurn(() => this.#remove(arrivals.get(res)));
    // The backend knows what a POST asks for once it has the body.
    if (req.method === 'POST' && !req.readableEnded) req.once('end', remove);
    else remove();
    next();
  };

  /** The middleware before a backend that counts each request as soon as it gets it. */
  readonly leaveAtOnce: Middleware = (_req, res, next) => {
    next();
    if (this.#entering === res) this.#entering = undefined;
    else this.#remove(arrivals.get(res));
  };

  /** Resolves when no request is arriving, after `ms` at the latest. */
  async settle(ms: number): Promise<void> {
    if (!this.isEmpty) await this.#waits.add(ms);
  }

  #remove(arrival: Numbered | undefined): void {
    if (arrival !== undefined && this.#arriving.delete(arrival) && this.isEmpty) this.#waits.finish();
  }
}
