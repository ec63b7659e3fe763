import { UpstreamError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { createRareLine } from '../core/rare-line.js';
import { isPromiseLike } from '../core/settle-in-time.js';
import type { Awaitable, Store, StoreBucket, StoreList } from './store.js';

/** Milliseconds that a call may take. */
const MAX_CALL_MS = 1_000;

/** Milliseconds without calls after one has failed. Then one call tries the store again. */
const PAUSE_MS = 1_000;

/** Names the user of a store, for the log. */
export interface StoreUser {
  /** The function that the developer called, for example `mcpAuth()`, and what it does with the store if it has several users. */
  readonly who: string;
  /** Ends the sentence "Until the store can be used, …". */
  readonly meanwhile: string;
  readonly logger: Logger;
}

/** A store that fails quickly while it is down, and whose answers have the types that {@link Store} promises. */
export type GuardedStore = Store;

/** Creates a store whose methods throw or reject with an {@link UpstreamError}, `store_unavailable`, while the given store is down. */
export function createGuardedStore(store: Store, user: StoreUser): GuardedStore {
  const state = createStoreState(user);

  function call<T>(run: () => unknown, isValid: (answer: unknown) => answer is T): Awaitable<T> {
    if (!state.mayCall()) throw unavailable();
    const settle = (answer: unknown): T => {
      if (!isValid(answer)) throw new TypeError('the store gave an answer of the wrong type');
      state.succeeded();
      return answer;
    };
    const fail = (cause: unknown): never => {
      state.failed(cause);
      throw unavailable(cause);
    };
    try {
      const answer = run();
      return isPromiseLike(answer) ? inTime(answer).then(settle).catch(fail) : settle(answer);
    } catch (error) {
      return fail(error);
    }
  }

  return {
    get: (key) => call(() => store.get(key), isTextOrAbsent),
    add: (key, value, ttlMs) => call(() => store.add(key, value, ttlMs), isBoolean),
    append: (list, entry, ttlMs) => call(() => store.append(list, entry, ttlMs), isAnything),
    since: (list, cursor) => call(() => store.since(list, cursor), isList),
    take: (buckets: readonly StoreBucket[]) => call(() => store.take(buckets), isWait),
    ...(store.raise && {
      raise: (key: string, number: number, ttlMs: number) => call(() => store.raise?.(key, number, ttlMs), isAnything),
    }),
  };
}

function unavailable(cause?: unknown): UpstreamError {
  return new UpstreamError('store_unavailable', { cause, retryAfterSeconds: Math.ceil(PAUSE_MS / 1_000) });
}

function createStoreState({ who, meanwhile, logger }: StoreUser) {
  const logFailure = createRareLine((line) => logger.error(line));
  const logRecovery = createRareLine((line) => logger.warn(line));
  let isDown = false;
  let quietUntil = Number.NEGATIVE_INFINITY;
  return {
    mayCall(): boolean {
      if (!isDown) return true;
      const now = performance.now();
      if (now < quietUntil) return false;
      // This call tries the store again. Other calls fail at once until its outcome is known, so that they do not all wait.
      quietUntil = now + MAX_CALL_MS + PAUSE_MS;
      return true;
    },
    succeeded(): void {
      if (isDown) logRecovery(`${who}: the store can be used again`);
      isDown = false;
    },
    failed(cause: unknown): void {
      isDown = true;
      quietUntil = performance.now() + PAUSE_MS;
      logFailure(`${who}: the store cannot be used: ${reasonOf(cause)}. Until it can, ${meanwhile}`);
    },
  };
}

function reasonOf(cause: unknown): string {
  try {
    return cause instanceof Error && cause.message !== '' ? cause.message : 'it failed without a message';
  } catch {
    return 'it failed with an error that cannot be read';
  }
}

/** Rejects if the answer takes too long. A late answer has no effect. */
async function inTime(answer: PromiseLike<unknown>): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const rejectLate = () => reject(new Error(`it did not answer within ${MAX_CALL_MS / 1_000} s`));
    timer = setTimeout(rejectLate, MAX_CALL_MS);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

const isAnything = (_answer: unknown): _answer is undefined => true;
const isTextOrAbsent = (answer: unknown): answer is string | undefined =>
  answer === undefined || typeof answer === 'string';
const isBoolean = (answer: unknown): answer is boolean => typeof answer === 'boolean';
/** An endless wait would say that the batch is too long, and a very long one has no form for `Retry-After`. */
const isWait = (answer: unknown): answer is number =>
  typeof answer === 'number' && answer >= 0 && answer <= Number.MAX_SAFE_INTEGER;

function isList(answer: unknown): answer is StoreList {
  const { entries, cursor } = (answer ?? {}) as Partial<StoreList>;
  return typeof cursor === 'string' && Array.isArray(entries) && entries.every((entry) => typeof entry === 'string');
}
