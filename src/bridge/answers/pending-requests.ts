import { ShortLivedMap } from '../../core/short-lived.js';
import { BridgeError, type BridgeErrorCode } from '../../messages/bridge-error.js';
import { requestsAnsweredBy } from '../../messages/child-line.js';
import { applyEdits, type Edit } from '../../messages/json-members.js';
import { type ClientMessage, keyOf, type RpcMessage } from '../../messages/json-rpc.js';
import { meantAmong } from '../../messages/number-in-text.js';
import { subscriptionEdits, subscriptionEnd } from '../../messages/stateless-response.js';
import type { CallEnd, ObservedCall } from '../../telemetry/observed-call.js';
import { endOfRefusal } from '../../telemetry/outcomes.js';
import { endOfResponse } from '../../telemetry/response-end.js';
import type { Recipient } from './post-response.js';

/** One request that an MCP server has not answered yet. */
export interface PendingRequest {
  /** The id as the client wrote it. */
  readonly id: string;
  /** The progress token that the MCP server may use, parsed. */
  readonly token?: unknown;
  readonly recipient: Recipient;
  readonly since: number;
  /** True if it is `subscriptions/listen`, which has no timeout. */
  readonly listens?: boolean;
  /** True if the bridge itself sent it. It is not counted, because no client waits for it. */
  readonly isInternal?: boolean;
  /** The record of the call; undefined if nothing listens for it. */
  readonly call?: ObservedCall | undefined;
}

/** The requests in flight on one connection, by the id that the MCP server sees (`keyOf`) and by progress token. Each is answered once. */
export class PendingRequests<R extends PendingRequest> {
  readonly #max: number;
  readonly #byKey = new ShortLivedMap<string, R>();
  readonly #byToken = new ShortLivedMap<string, R>();
  #internal = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** The number of requests that clients wait for. */
  get count(): number {
    return this.#byKey.size - this.#internal;
  }

  get isEmpty(): boolean {
    return this.#byKey.size === 0;
  }

  values(): readonly R[] {
    return this.#byKey.values();
  }

  entries(): [key: string, request: R][] {
    return this.#byKey.entries();
  }

  get(key: string | undefined): R | undefined {
    return key === undefined ? undefined : this.#byKey.get(key);
  }

  /** Returns the key of the request that the MCP server means by an id in its message (`keyOf`); undefined if there is none. */
  meantBy(key: string | undefined): string | undefined {
    return meantAmong(this.#byKey, key);
  }

  /** Finds the request that a progress notification is about, by its token (`keyOf`). */
  withToken(key: string | undefined): R | undefined {
    const token = meantAmong(this.#byToken, key);
    return token === undefined ? undefined : this.#byToken.get(token);
  }

  /** Refuses requests over the limit, and an id that is already in flight or twice in a batch. */
  requireRoom(requests: readonly Pick<ClientMessage, 'id' | 'key'>[]): void {
    const keys = new Set<string>();
    for (const { key = '', id } of requests) {
      const isFull = this.count + keys.size >= this.#max;
      if (isFull || this.#byKey.has(key) || keys.has(key)) {
        throw new BridgeError(isFull ? 'too_many_pending' : 'id_in_flight', { id });
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

  /** Removes a request without answering it, and returns it. Its call ends as `end` says. */
  drop(key: string | undefined, end: CallEnd): R | undefined {
    const request = this.#take(key);
    request?.call?.end(end);
    return request;
  }

  /** Passes the MCP server's response on with the id as the client wrote it. Returns the request; undefined if none waits for it. */
  settle(message: RpcMessage, status?: number): R | undefined {
    const { key, id, idAt, bytes } = message;
    const request = this.#take(this.meantBy(key));
    if (request === undefined || idAt === undefined) return undefined;
    const edits: Edit[] = id === request.id ? [] : [{ ...idAt, text: request.id }];
    if (request.listens) edits.push(...subscriptionEdits(message, 'result', request.id));
    const response = applyEdits(bytes, edits);
    request.recipient.respond(response, status);
    if (request.call !== undefined) request.call.end(endOfResponse(message, request.call, response.length));
    return request;
  }

  /** Answers a request with an error, instead of the MCP server. */
  fail(key: string | undefined, reason: BridgeErrorCode, status?: number): void {
    const request = this.#take(key);
    if (request === undefined) return;
    const { id, listens, recipient, call } = request;
    // On shutdown, a subscription ends with a result and not with an error (2026-07-28, Graceful Closure).
    const endsGracefully = listens && reason === 'closing' && recipient.isStreaming;
    const body = endsGracefully ? Buffer.from(subscriptionEnd(id)) : new BridgeError(reason, { id }).response();
    recipient.respond(body, status);
    call?.end(endOfRefusal(reason, body.length));
  }

  failAll(reason: BridgeErrorCode, status?: number): void {
    for (const [key] of this.entries()) this.fail(key, reason, status);
  }

  /** Fails the request `key`, whose response was too large. */
  failOversized(key: string | undefined): void {
    if (key !== undefined) this.fail(this.meantBy(key), 'message_too_large');
    // The id is not readable, so all requests fail: the one that it answers would otherwise wait forever.
    else this.failAll('message_too_large');
  }

  /** Returns the keys of the requests that `line`, which is not a valid message, was meant to answer. */
  answeredBy(line: Buffer): readonly string[] {
    const answered = requestsAnsweredBy(line);
    // If the id is not readable, all requests count: the one that it answers would otherwise wait forever.
    return answered === 'any' ? this.#byKey.keys() : answered.flatMap((key) => this.meantBy(key) ?? []);
  }

  /** Called every second. Returns the requests that have waited for `timeoutMs`; the caller cancels and fails them. */
  tick(now: number, keepAlive: boolean, timeoutMs: number): [key: string, request: R][] {
    return this.entries().filter(([, { recipient, since, listens }]) => {
      const isTimedOut = timeoutMs > 0 && !listens && now - since >= timeoutMs;
      if (!isTimedOut) recipient.tick(now, keepAlive);
      return isTimedOut;
    });
  }

  #take(key: string | undefined): R | undefined {
    const request = this.get(key);
    if (key === undefined || request === undefined) return undefined;
    this.#byKey.delete(key);
    const token = tokenKey(request.token);
    if (token !== undefined) this.#byToken.delete(token);
    if (request.isInternal) this.#internal--;
    return request;
  }
}

function tokenKey(token: unknown): string | undefined {
  return typeof token === 'string' || typeof token === 'number' ? keyOf(JSON.stringify(token)) : undefined;
}
