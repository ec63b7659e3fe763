import type { HttpTarget } from '../../targets/http/http-target.js';
import { endSession } from '../../targets/http/target-calls.js';
import type { RemoteSession } from './remote-sessions.js';

/** The requests in flight that end sessions at a target. */
export class SessionEndings {
  readonly #target: HttpTarget;
  readonly #running = new Set<Promise<void>>();

  constructor(target: HttpTarget) {
    this.#target = target;
  }

  /** Ends a session at the target. */
  begin({ id, callerHeaders }: RemoteSession): void {
    const ending = endSession(this.#target, id, callerHeaders);
    this.#running.add(ending);
    void ending.then(() => this.#running.delete(ending));
  }

  /** Resolves when all of them are over. */
  async settle(): Promise<void> {
    await Promise.all(this.#running);
  }
}
