import type { AuthInfo } from '../../core/auth-info.js';
import type { Caller, Lease, Quota, QuotaRefusal } from '../../core/quota.js';
import type { BridgeError } from '../../messages/bridge-error.js';
import { createCapRefusal } from '../../messages/cap-refusal.js';
import { Child, type ChildRecipe } from './child.js';
import { MAX_STOP_SECONDS } from './process-tree.js';

/** Returns the environment of a caller's child; `undefined` is an anonymous caller. */
export type EnvironmentFor = (auth: AuthInfo | undefined) => Readonly<Record<string, string>>;

// Starting a process blocks for milliseconds. The delay spares the session that has just taken a child that was started ahead.
const REFILL_AFTER_MS = 100;

/** Starts children, keeps `warmChildren` of them ahead, and knows all that are running. */
export class ChildSource {
  readonly #recipe: ChildRecipe;
  readonly #environmentFor: EnvironmentFor;
  readonly #warm: number;
  readonly #quota: Quota;
  readonly #refusalOf: (refusal: QuotaRefusal) => BridgeError;
  readonly #startedAhead: Child[] = [];
  readonly #running = new Set<Child>();
  #closed = false;
  #refilling: NodeJS.Timeout | undefined;

  constructor(recipe: ChildRecipe, environmentFor: EnvironmentFor, warm: number, quota: Quota) {
    this.#quota = quota;
    this.#recipe = recipe;
    this.#environmentFor = environmentFor;
    this.#warm = warm;
    this.#refusalOf = createCapRefusal('mcpStdioBackend()', recipe.logger, MAX_STOP_SECONDS);
    this.#refill();
  }

  get size(): number {
    return this.#running.size;
  }

  /**
   * Returns a child for this caller. Call `lease.release()` when it is no longer used; it counts as alive until it has ended.
   *
   * @throws {BridgeError} If a limit is reached.
   */
  take(caller: Caller): { readonly child: Child; readonly lease: Lease } {
    const lease = this.#quota.take(caller);
    if ('cap' in lease) throw this.#refusalOf(lease);
    try {
      const child = this.#next(caller);
      void child.ended.then(() => lease.gone());
      return { child, lease };
    } catch (error) {
      lease.release();
      lease.gone();
      throw error;
    }
  }

  /** Ends every child; resolves when none is left. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#refilling);
    await Promise.all([...this.#running].map((child) => child.stop()));
  }

  /** Returns an unused child, if possible one that was started ahead. */
  #next(caller: Caller): Child {
    let child = this.#takeWarm(caller);
    while (child !== undefined && !child.alive) child = this.#takeWarm(caller);
    child ??= this.#start(this.#environmentFor(caller.auth));
    if (this.#warm > 0) this.#refilling ??= setTimeout(() => this.#refill(), REFILL_AFTER_MS);
    return child;
  }

  /** Behind an `mcpAuth()`, anonymous callers get at most a quarter of the children that were started ahead. */
  #takeWarm({ auth, isChecked }: Caller): Child | undefined {
    const available = auth === undefined && isChecked ? Math.ceil(this.#warm / 4) : this.#warm;
    return this.#startedAhead.length > this.#warm - available ? this.#startedAhead.shift() : undefined;
  }

  #refill(): void {
    this.#refilling = undefined;
    try {
      while (!this.#closed && this.#startedAhead.length < this.#warm) {
        this.#startedAhead.push(this.#start(this.#environmentFor(undefined)));
      }
    } catch (error) {
      this.#recipe.logger.error(`no child could be started ahead: ${(error as Error).message}`);
    }
  }

  #start(env: Readonly<Record<string, string>>): Child {
    const child = new Child(this.#recipe, env);
    this.#running.add(child);
    void child.ended.then(() => this.#running.delete(child));
    return child;
  }
}
