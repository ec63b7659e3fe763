import type { AuthInfo } from '../../core/auth-info.js';
import type { Caller, Lease, Quota, QuotaRefusal } from '../../core/quota.js';
import type { BridgeError } from '../../messages/bridge-error.js';
import { createCapRefusal } from '../../messages/cap-refusal.js';
import { Child, type ChildRecipe } from './child.js';
import { MAX_STOP_SECONDS } from './process-tree.js';

/** What a child sees of the environment: the same for all, or told by the caller. */
export type EnvironmentFor = (auth: AuthInfo | undefined) => Readonly<Record<string, string>>;

// Starting a process blocks for milliseconds; the session that just got a warm child should not be the one to wait for that.
const REFILL_AFTER_MS = 100;

/** Starts children, keeps `warm` of them ahead, and knows all that are running. */
export class ChildSource {
  readonly #recipe: ChildRecipe;
  readonly #environmentFor: EnvironmentFor;
  readonly #warm: number;
  readonly #quota: Quota;
  readonly #refusalOf: (refusal: QuotaRefusal) => BridgeError;
  readonly #waiting: Child[] = [];
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

  /** A child for this caller, counted until nothing is left of it; `share.release()` once it is no longer used. */
  take(caller: Caller): { readonly child: Child; readonly share: Lease } {
    const share = this.#quota.take(caller);
    if ('cap' in share) throw this.#refusalOf(share);
    try {
      const child = this.#next(caller);
      void child.ended.then(() => share.gone());
      return { child, share };
    } catch (error) {
      share.release();
      share.gone();
      throw error;
    }
  }

  /** Ends every child; resolves when none is left. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#refilling);
    await Promise.all([...this.#running].map((child) => child.stop()));
  }

  /** A child without a caller yet, started ahead if possible. */
  #next(caller: Caller): Child {
    let child = this.#takeWarm(caller);
    while (child !== undefined && !child.alive) child = this.#takeWarm(caller);
    child ??= this.#start(this.#environmentFor(caller.auth));
    if (this.#warm > 0) this.#refilling ??= setTimeout(() => this.#refill(), REFILL_AFTER_MS);
    return child;
  }

  /** Of children started ahead, as of places, anonymous callers beside known ones have a quarter. */
  #takeWarm({ auth, isChecked }: Caller): Child | undefined {
    const share = auth === undefined && isChecked ? Math.ceil(this.#warm / 4) : this.#warm;
    return this.#waiting.length > this.#warm - share ? this.#waiting.shift() : undefined;
  }

  #refill(): void {
    this.#refilling = undefined;
    try {
      while (!this.#closed && this.#waiting.length < this.#warm) {
        this.#waiting.push(this.#start(this.#environmentFor(undefined)));
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
