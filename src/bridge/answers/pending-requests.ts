import { BridgeError, type BridgeErrorCode } from '../../messages/bridge-error.js';
import { requestsAnsweredBy } from '../../messages/child-line.js';
import { applyEdits, type Edit } from '../../messages/json-members.js';
import { type ClientMessage, idOfTruncated, keyOf, type RpcMessage } from '../../messages/json-rpc.js';
import { subscriptionEdits, subscriptionEnd } from '../../messages/stateless-response.js';
import type { Recipient } from './post-response.js';

/** One request that a child has not answered yet. */
export interface PendingRequest {
  /** The id as the client wrote it. */
  readonly id: string;
  /** The progress token that the child may use, parsed. */
  readonly token?: unknown;
  readonly recipient: Recipient;
  readonly since: number;
  /** True if it is `subscriptions/listen`, which waits for ever. */
  readonly listens?: boolean;
  /** True if the bridge itself asks: not counted, since no client waits for it. */
  readonly isInternal?: boolean;
}

/** The requests in flight at one child, by their id there (`keyOf`) and by progress token. Each is answered once. */
export class PendingRequests<R extends PendingRequest> {
  readonly #max: number;
  readonly #byKey = new Map<string, R>();
  readonly #byToken = new Map<string, R>();
  #internal = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** How many of them clients wait for. */
  get count(): number {
    return this.#byKey.size - this.#internal;
  }

  get isEmpty(): boolean {
    return this.#byKey.size === 0;
  }

  values(): IterableIterator<R> {
    return this.#byKey.values();
  }

  entries(): [key: string, request: R][] {
    return [...this.#byKey];
  }

  get(key: string | undefined): R | undefined {
    return key === undefined ? undefined : this.#byKey.get(key);
  }

  /** The request that a child's progress is about, by its token (`keyOf`). */
  withToken(key: string | undefined): R | undefined {
    return key === undefined ? undefined : this.#byToken.get(key);
  }

  /** Refuses requests over the cap, and a key that is in flight, twice in a batch too. */
  requireRoom(requests: readonly Pick<ClientMessage, 'id' | 'key'>[]): void {
    const keys = new Set<string>();
    for (const { key = '', id } of requests) {
      const full = this.count + keys.size >= this.#max;
      if (full || this.#byKey.has(key) || keys.has(key)) {
        throw new BridgeError(full ? 'too_many_pending' : 'id_in_flight', { id });
      }
      keys.add(key);
    }
  }

  add(key: string, request: R): void {
    this.#byKey.set(key, request);
    const token = tokenKey(request.token);
    if (token !== undefined) this.#byToken.set(token, request);
    if (request.isInternal) this.#internal++;
  }

  /** Forgets a request without answering it. */
  take(key: string | undefined): R | undefined {
    const request = this.get(key);
    if (key === undefined || request === undefined) return undefined;
    this.#byKey.delete(key);
    const token = tokenKey(request.token);
    if (token !== undefined) this.#byToken.delete(token);
    if (request.isInternal) this.#internal--;
    return request;
  }

  /** Passes the child's response on under the id as the client wrote it; false where no request waits for it. */
  settle(message: RpcMessage, status?: number): boolean {
    const { key, id, idAt, bytes } = message;
    const request = this.take(key);
    if (request === undefined || idAt === undefined) return false;
    const edits: Edit[] = id === request.id ? [] : [{ ...idAt, text: request.id }];
    if (request.listens) edits.push(...subscriptionEdits(message, 'result', request.id));
    request.recipient.respond(applyEdits(bytes, edits), status);
    return true;
  }

  /** Answers a request in the child's place. */
  fail(key: string, reason: BridgeErrorCode, status?: number): void {
    const request = this.take(key);
    if (request === undefined) return;
    const { id, listens, recipient } = request;
    // A subscription that we end ends well (2026-07-28, Graceful Closure).
    const endsWell = listens && reason === 'closing' && recipient.streaming;
    const body = endsWell ? subscriptionEnd(id) : new BridgeError(reason, { id }).body();
    recipient.respond(Buffer.from(body), status);
  }

  failAll(reason: BridgeErrorCode, status?: number): void {
    for (const [key] of this.entries()) this.fail(key, reason, status);
  }

  /** Answers the request whose response was too large, from the first and the last bytes of it. */
  failOversized(head: Buffer, tail: Buffer): void {
    const key = idOfTruncated(head, tail);
    if (key !== undefined) this.fail(key, 'message_too_large');
    // Any of them may be the one that would wait for ever.
    else this.failAll('message_too_large');
  }

  /** The keys of the requests that `line`, which is no message, was to answer. */
  answeredBy(line: Buffer): readonly string[] {
    const answered = requestsAnsweredBy(line);
    // Any of them may be the one that would wait for ever.
    return answered === 'any' ? [...this.#byKey.keys()] : answered.filter((key) => this.#byKey.has(key));
  }

  /** Lets time pass; returns those that have waited for `timeoutMs`, which are left for the caller to cancel and fail. */
  tick(now: number, keepAlive: boolean, timeoutMs: number): [key: string, request: R][] {
    return this.entries().filter(([, { recipient, since, listens }]) => {
      const isTimedOut = timeoutMs > 0 && !listens && now - since >= timeoutMs;
      if (!isTimedOut) recipient.tick(now, keepAlive);
      return isTimedOut;
    });
  }
}

function tokenKey(token: unknown): string | undefined {
  return typeof token === 'string' || typeof token === 'number' ? keyOf(JSON.stringify(token)) : undefined;
}
