/** Waits until something is idle, each for a limited time. */
export class IdleWaits {
  readonly #finishes = new Set<() => void>();

  /** Resolves at the next `finish()`, after `ms` at the latest. */
  add(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const finish = (): void => {
        clearTimeout(late);
        this.#finishes.delete(finish);
        resolve();
      };
      const late = setTimeout(finish, ms);
      this.#finishes.add(finish);
    });
  }

  /** Ends all waits. */
  finish(): void {
    for (const finish of [...this.#finishes]) finish();
  }
}
