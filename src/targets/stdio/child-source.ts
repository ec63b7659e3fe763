import type { AuthInfo } from '../../core/auth-info.js';
import { createFailureLine } from '../../core/failure-line.js';
import { runOutsideRequest } from '../../core/log-fields.js';
import type { Caller } from '../../core/quota.js';
import type { Connection, ConnectionSource } from '../connection.js';
import { Child, type ChildRecipe } from './child.js';
import { type ChildVariables, DeferredChild } from './deferred-child.js';
import { acquireWatchdog, releaseWatchdog } from './watchdog.js';

/** Returns the environment of a caller's child, or a promise of it; `undefined` is an anonymous caller. */
export type EnvironmentFor = (auth: AuthInfo | undefined) => ChildVariables | Promise<ChildVariables>;

// Starting a process blocks for milliseconds. The delay spares the session that has just taken a child that was started ahead.
const REFILL_AFTER_MS = 100;

/** Starts children, keeps `warmChildren` of them ahead, and knows all that are running. */
export class ChildSource implements ConnectionSource {
  readonly #recipe: ChildRecipe;
  readonly #environmentFor: EnvironmentFor;
  readonly #warm: number;
  readonly #startedAhead: Connection[] = [];
  readonly #running = new Set<Connection>();
  readonly #logFailure: (error: unknown) => void;
  #isClosed = false;
  #refilling: NodeJS.Timeout | undefined;

  constructor(recipe: Omit<ChildRecipe, 'watchdog'>, environmentFor: EnvironmentFor, warm: number) {
    this.#recipe = { ...recipe, watchdog: acquireWatchdog() };
    this.#environmentFor = environmentFor;
    this.#warm = warm;
    const { command, logger } = recipe;
    this.#logFailure = createFailureLine(
      'env()',
      `the MCP server "${command}" is not started (environment_failed)`,
      logger,
    );
    this.#refill();
  }

  get size(): number {
    return this.#running.size;
  }

  /** Returns an unused child, if possible one that was started ahead. */
  open(caller: Caller): Connection {
    let child = this.#takeWarm(caller);
    while (child !== undefined && !child.isAlive) child = this.#takeWarm(caller);
    child ??= this.#start(this.#environmentFor(caller.auth));
    if (this.#warm > 0) this.#refilling ??= setTimeout(() => this.#refill(), REFILL_AFTER_MS);
    return child;
  }

  /** Ends every child; resolves when none is left. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#refilling);
    await Promise.all([...this.#running].map((child) => child.stop()));
    await releaseWatchdog();
  }

  /** Behind an `mcpAuth()`, anonymous callers get at most a quarter of the children that were started ahead. */
  #takeWarm({ auth, isChecked }: Caller): Connection | undefined {
    const available = auth === undefined && isChecked ? Math.ceil(this.#warm / 4) : this.#warm;
    return this.#startedAhead.length > this.#warm - available ? this.#startedAhead.shift() : undefined;
  }

  #refill(): void {
    this.#refilling = undefined;
    try {
      while (!this.#isClosed && this.#startedAhead.length < this.#warm) {
        this.#startedAhead.push(this.#start(this.#environmentFor(undefined)));
      }
    } catch (error) {
      this.#recipe.logger.error(`no child could be started ahead: ${(error as Error).message}`);
    }
  }

  #start(environment: ChildVariables | Promise<ChildVariables>): Connection {
    // Its lines are about the child, whose life is longer than that of the request that starts it.
    const start = (known: ChildVariables) => runOutsideRequest(() => new Child(this.#recipe, known));
    const child =
      environment instanceof Promise
        ? new DeferredChild(this.#recipe, { environment, start, logFailure: this.#logFailure })
        : start(environment);
    this.#running.add(child);
    void child.ended.then(() => this.#running.delete(child));
    return child;
  }
}
