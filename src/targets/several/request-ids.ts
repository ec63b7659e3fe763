import { ShortLivedMap } from '../../core/short-lived.js';
import type { BridgeErrorCode } from '../../messages/bridge-error.js';
import type { RpcMessage } from '../../messages/json-rpc.js';
import { meantAmong } from '../../messages/number-in-text.js';
import type { NamedTarget } from './named-target.js';

/** The end of a request to a target: its response, or the reason why there is none. */
export type Outcome = RpcMessage | BridgeErrorCode;

/** A request that was sent to a target, and that it has not answered. */
export interface SentRequest {
  readonly target: NamedTarget;
  /** The client's request that it belongs to, as `keyOf`; undefined if it belongs to none. */
  readonly clientKey: string | undefined;
  /** The client's progress token, as JSON; undefined if progress is not passed on. */
  readonly clientToken: string | undefined;
  /** Called for a notification that names this request as its subscription. */
  readonly onNotification?: (message: RpcMessage) => void;
  settle(outcome: Outcome): void;
}

/** A request of a target that the client has not answered. */
export interface PendingServerRequest {
  readonly target: NamedTarget;
  /** The target's own id, as JSON and as `keyOf`. */
  readonly id: string;
  readonly key: string;
  /** The target's own progress token, as JSON. */
  readonly token: string | undefined;
}

/** More unanswered requests of one target are refused: it must not fill the memory with them. */
const MAX_ASKED = 1_000;

/**
 * Replaces the ids of requests and their progress tokens, of the client and of the targets, with numbers that are used once on a
 * connection. So equal ids of two targets are never confused, and each number belongs to one target.
 */
export class RequestIds {
  readonly #sent = new ShortLivedMap<string, SentRequest>();
  readonly #asked = new ShortLivedMap<string, PendingServerRequest>();
  #count = 0;

  next(): string {
    return `${++this.#count}`;
  }

  addSent(key: string, request: SentRequest): void {
    this.#sent.set(key, request);
  }

  /** The request that a target means by `key` in its message. */
  sent(key: string | undefined): SentRequest | undefined {
    return find(this.#sent, key);
  }

  /** Removes a request that `sent()` finds, and returns it. */
  takeSent(key: string): SentRequest | undefined {
    return take(this.#sent, key);
  }

  sentTo(target: NamedTarget): readonly string[] {
    return this.#sent.entries().flatMap(([key, request]) => (request.target === target ? [key] : []));
  }

  /** The client's requests that requests to a target belong to: those with these keys, or all that it has not answered. */
  clientKeysOf(target: NamedTarget, keys: readonly string[] = this.sentTo(target)): readonly string[] {
    const requests = keys.map((key) => this.#sent.get(key)).filter((request) => request?.target === target);
    return [...new Set(requests.flatMap((request) => request?.clientKey ?? []))];
  }

  sentFor(clientKey: string): readonly string[] {
    return this.#sent.entries().flatMap(([key, request]) => (request.clientKey === clientKey ? [key] : []));
  }

  /** Adds a request of a target and returns its id for the client; undefined if too many are unanswered. */
  addAsked(request: PendingServerRequest): string | undefined {
    let count = 0;
    for (const { target } of this.#asked.values()) if (target === request.target) count++;
    if (count >= MAX_ASKED) return undefined;
    const id = this.next();
    this.#asked.set(id, request);
    return id;
  }

  /** The request of a target that the client means by `key` in its message. */
  asked(key: string | undefined): PendingServerRequest | undefined {
    return find(this.#asked, key);
  }

  takeAsked(key: string | undefined): PendingServerRequest | undefined {
    return take(this.#asked, key);
  }

  /** The id for the client of a request of a target. */
  askedBy(target: NamedTarget, key: string | undefined): string | undefined {
    for (const [id, request] of this.#asked.entries()) if (request.target === target && request.key === key) return id;
    return undefined;
  }

  allAskedBy(target: NamedTarget): readonly string[] {
    return this.#asked.entries().flatMap(([key, request]) => (request.target === target ? [key] : []));
  }
}

function find<T>(requests: ShortLivedMap<string, T>, key: string | undefined): T | undefined {
  const own = meantAmong(requests, key);
  return own === undefined ? undefined : requests.get(own);
}

function take<T>(requests: ShortLivedMap<string, T>, key: string | undefined): T | undefined {
  const own = meantAmong(requests, key);
  if (own === undefined) return undefined;
  const request = requests.get(own);
  requests.delete(own);
  return request;
}
