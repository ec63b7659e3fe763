import type { BridgeErrorCode } from '../../messages/bridge-error.js';
import type { Connection, ConnectionListener, SingleTarget } from '../connection.js';
import { Waiters } from '../waiters.js';
import type { Child, ChildRecipe } from './child.js';

/** The variables of a child's environment. */
export type ChildVariables = Readonly<Record<string, string>>;

/** The start of a child once its environment is known, and the log of a failure to find it. */
export interface DeferredStart {
  readonly environment: Promise<ChildVariables>;
  readonly start: (environment: ChildVariables) => Child;
  readonly logFailure: (error: unknown) => void;
}

/** The facts about a child that are needed before it starts. */
export type DeferredRecipe = Pick<ChildRecipe, 'target' | 'command' | 'logger' | 'maxWaiting' | 'waitMs'>;

/** A child that starts when its environment has been looked up. Messages wait until then. */
export class DeferredChild implements Connection {
  /** Resolves when the child has ended, or when it is certain that there will be none. */
  readonly ended: Promise<void>;
  readonly target: SingleTarget;
  readonly #recipe: DeferredRecipe;
  readonly #waiters: Waiters;
  readonly #messages: Buffer[] = [];
  readonly #settled: Promise<void>;
  #child: Child | undefined;
  #listener: ConnectionListener | undefined;
  #isProbed = false;
  #isPaused = false;
  #failure: BridgeErrorCode | undefined;
  #resolveEnded: () => void = () => undefined;

  constructor(recipe: DeferredRecipe, { environment, start, logFailure }: DeferredStart) {
    this.#recipe = recipe;
    this.target = { name: recipe.target };
    this.#waiters = new Waiters(recipe);
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    this.#settled = environment
      .then((variables) => this.#begin(variables, start))
      .catch((error: unknown) => this.#fail(error, logFailure));
  }

  get isAlive(): boolean {
    return this.#child?.isAlive ?? this.#failure === undefined;
  }

  get waiters(): Waiters {
    return this.#child?.waiters ?? this.#waiters;
  }

  get isProbed(): boolean {
    return this.#isProbed;
  }

  set isProbed(probed: boolean) {
    this.#isProbed = probed;
    if (this.#child !== undefined) this.#child.isProbed = probed;
  }

  listen(listener: ConnectionListener): void {
    this.#listener = listener;
    this.#child?.listen(listener);
    const failure = this.#failure;
    if (failure !== undefined) queueMicrotask(() => listener.gone(failure));
  }

  write(message: Buffer): void {
    if (this.#child !== undefined) this.#child.write(message);
    else if (this.#failure === undefined) this.#messages.push(message);
  }

  whenWritable(since: number, bytes = 0): Promise<void> | undefined {
    if (this.#child !== undefined) return this.#child.whenWritable(since, bytes);
    return this.#failure === undefined ? this.#waiters.wait(this.#settled, since, bytes) : undefined;
  }

  pause(): void {
    this.#isPaused = true;
    this.#child?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#child?.resume();
  }

  logUnreadable(bytes: Buffer): void {
    this.#child?.logUnreadable(bytes);
  }

  logLateStart(seconds: number): void {
    if (this.#child !== undefined) {
      this.#child.logLateStart(seconds);
      return;
    }
    const { command, logger } = this.#recipe;
    logger.error(
      `the MCP server "${command}" did not start within ${seconds} s (startTimeoutSeconds): env() has not answered`,
    );
  }

  stop(): Promise<void> {
    if (this.#child !== undefined) return this.#child.stop();
    this.#end('session_ended');
    return this.ended;
  }

  #begin(environment: ChildVariables, start: DeferredStart['start']): void {
    if (this.#failure !== undefined) return;
    const child = start(environment);
    this.#child = child;
    child.isProbed = this.#isProbed;
    if (this.#isPaused) child.pause();
    if (this.#listener !== undefined) child.listen(this.#listener);
    for (const message of this.#messages.splice(0)) child.write(message);
    void child.ended.then(this.#resolveEnded);
  }

  #fail(error: unknown, logFailure: DeferredStart['logFailure']): void {
    if (this.#failure !== undefined) return;
    logFailure(error);
    this.#end('environment_failed');
    this.#listener?.gone('environment_failed');
  }

  #end(failure: BridgeErrorCode): void {
    this.#failure = failure;
    this.#messages.length = 0;
    this.#resolveEnded();
  }
}
