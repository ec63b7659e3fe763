import type { IncomingMessage } from 'node:http';
import { type Caller, callerKeyOf } from '../../core/quota.js';
import { BridgeError } from '../../messages/bridge-error.js';
import { listensOnly } from '../listens.js';

/** The options that limit requests in flight. */
export interface InFlightLimits {
  readonly maxPendingRequests: number;
  readonly maxSessions: number;
  readonly maxSessionsPerUser: number;
  readonly maxAnonymousSessions: number;
}

/**
 * Limits the requests in flight of each user. Streams that a client keeps open to listen are counted separately, so that a user with
 * many sessions can still send messages; each session may have one. A user whose messages hang can still end a session. Anonymous
 * callers share one count, which allows at least one request for each of their sessions.
 */
export class RequestsInFlight {
  readonly #limits: InFlightLimits;
  readonly #messages = new Map<string, number>();
  readonly #others = new Map<string, number>();

  constructor(limits: InFlightLimits) {
    this.#limits = limits;
  }

  /**
   * Counts a request. Returns the function to call once it is over.
   *
   * @throws {BridgeError} `too_many_pending`
   */
  add(caller: Caller, req: IncomingMessage): () => void {
    const isMessage = waitsForAnswer(req);
    const counts = isMessage ? this.#messages : this.#others;
    const key = callerKeyOf(caller);
    const count = counts.get(key) ?? 0;
    if (count >= this.#maxOf(caller, isMessage)) throw new BridgeError('too_many_pending');
    counts.set(key, count + 1);
    return () => removeOne(counts, key);
  }

  #maxOf({ auth, isChecked }: Caller, isMessage: boolean): number {
    const { maxPendingRequests, maxSessions, maxSessionsPerUser, maxAnonymousSessions } = this.#limits;
    if (auth !== undefined) return isMessage ? maxPendingRequests : Math.max(maxPendingRequests, maxSessionsPerUser);
    return Math.max(maxPendingRequests, isChecked ? maxAnonymousSessions : maxSessions);
  }
}

function removeOne(counts: Map<string, number>, key: string): void {
  const count = counts.get(key) ?? 0;
  if (count > 1) counts.set(key, count - 1);
  else counts.delete(key);
}

/** False for a request that listens to events of the server, or ends a session. */
function waitsForAnswer(req: IncomingMessage): boolean {
  return req.method === 'POST' && !listensOnly(req);
}
