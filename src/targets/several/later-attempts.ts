import type { NamedTarget } from './named-target.js';

/** The pause before the first attempt. It doubles while the target keeps failing. */
const MIN_PAUSE_MS = 1_000;
/** The longest pause. After a longer time without a failure, the pauses begin with the shortest one again. */
const MAX_PAUSE_MS = 30_000;

interface Pause {
  readonly ms: number;
  readonly endsAt: number;
  readonly timer: NodeJS.Timeout;
  /** False once the attempt has begun. Timers may end a little before the clock says so. */
  isPending: boolean;
}

/** Tries something again with targets that have failed: soon at first, then after longer and longer pauses. */
export class LaterAttempts {
  readonly #attempt: (target: NamedTarget) => void;
  readonly #pauses = new Map<NamedTarget, Pause>();

  constructor(attempt: (target: NamedTarget) => void) {
    this.#attempt = attempt;
  }

  /** Plans one attempt, unless one is planned already. */
  plan(target: NamedTarget): void {
    const last = this.#pauses.get(target);
    const now = performance.now();
    if (last?.isPending) return;
    const isSoon = last !== undefined && now < last.endsAt + MAX_PAUSE_MS;
    const ms = isSoon ? Math.min(2 * last.ms, MAX_PAUSE_MS) : MIN_PAUSE_MS;
    const timer = setTimeout(() => {
      pause.isPending = false;
      this.#attempt(target);
    }, ms);
    const pause: Pause = { ms, endsAt: now + ms, timer, isPending: true };
    this.#pauses.set(target, pause);
  }

  stop(): void {
    for (const { timer } of this.#pauses.values()) clearTimeout(timer);
    this.#pauses.clear();
  }
}
