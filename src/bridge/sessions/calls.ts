import { BridgeError, type BridgeErrorCode } from '../../messages/bridge-error.js';
import { applyEdits } from '../../messages/json-members.js';
import { type ClientMessage, keyOf, type RpcMessage } from '../../messages/json-rpc.js';
import type { Answer } from '../answers/answer.js';

/** One request that the child has not answered yet. */
export interface Call {
  /** The id as the client wrote it. */
  readonly id: string;
  readonly token: string | undefined;
  readonly answer: Answer;
  readonly since: number;
}

/** The requests of one session that are in flight, by id and by progress token. */
export class Calls {
  readonly #most: number;
  readonly #byKey = new Map<string, Call>();
  readonly #byToken = new Map<string, Call>();

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#byKey.size;
  }

  has(key: string): boolean {
    return this.#byKey.has(key);
  }

  entries(): IterableIterator<[string, Call]> {
    return this.#byKey.entries();
  }

  /** Refuses an id that is in flight, twice in a batch too, and what is over the cap. */
  admit(requests: readonly ClientMessage[]): void {
    const keys = new Set<string>();
    for (const { key = '', id } of requests) {
      const full = this.#byKey.size + keys.size >= this.#most;
      if (full || this.#byKey.has(key) || keys.has(key)) {
        throw new BridgeError(full ? 'too_many_pending' : 'id_in_flight', { id });
      }
      keys.add(key);
    }
  }

  /** Remembers that `answer` waits for the response to `message`. */
  add(message: ClientMessage, answer: Answer, now: number): void {
    const { id, key } = message;
    if (id === undefined || key === undefined) return;
    const call = { id, token: progressTokenOf(message), answer, since: now };
    this.#byKey.set(key, call);
    if (call.token !== undefined) this.#byToken.set(call.token, call);
  }

  /** Whose progress this is. */
  withToken(token: unknown): Call | undefined {
    const key = tokenKey(token);
    return key === undefined ? undefined : this.#byToken.get(key);
  }

  /** Hands over the child's response, if anyone waits for it, under the id as the client wrote it. */
  settle({ key, id, idAt, bytes }: RpcMessage): void {
    const call = key === undefined ? undefined : this.#take(key);
    if (call === undefined || idAt === undefined) return;
    call.answer.respond(id === call.id ? bytes : applyEdits(bytes, [{ ...idAt, text: call.id }]));
  }

  /** Answers a call ourselves. */
  fail(key: string, reason: BridgeErrorCode, status = 200): void {
    const call = this.#take(key);
    call?.answer.respond(Buffer.from(new BridgeError(reason, { id: call.id }).body()), status);
  }

  /** Answers all calls ourselves; `status` may be that of the reason. */
  failAll(reason: BridgeErrorCode, status?: number): void {
    for (const key of [...this.#byKey.keys()]) this.fail(key, reason, status);
  }

  #take(key: string): Call | undefined {
    const call = this.#byKey.get(key);
    this.#byKey.delete(key);
    if (call?.token !== undefined) this.#byToken.delete(call.token);
    return call;
  }
}

function progressTokenOf(message: ClientMessage): string | undefined {
  const meta = message.params._meta as { progressToken?: unknown } | undefined;
  return tokenKey(meta?.progressToken);
}

function tokenKey(token: unknown): string | undefined {
  return typeof token === 'string' || typeof token === 'number' ? keyOf(JSON.stringify(token)) : undefined;
}
