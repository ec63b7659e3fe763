/** As many as one list may have. Of more names, those are forgotten that were listed longest ago. */
export const MAX_NAMES = 50_000;
/** Characters. Tools and prompts with longer names are not listed. */
export const MAX_NAME_LENGTH = 256;
const KEPT_MS = 24 * 3_600_000;

/**
 * The names of tools or prompts of one target. A server may list other names for another user, so a name that is missing from one list
 * is forgotten only if no list has had it for a day.
 */
export class TargetNames {
  /** In milliseconds, oldest first. */
  readonly #listedAt = new Map<string, number>();

  has(name: string): boolean {
    return this.#listedAt.has(name);
  }

  /** Adds the names of a complete list. */
  add(names: ReadonlySet<string>): void {
    const listedAt = this.#listedAt;
    const now = performance.now();
    for (const name of names) {
      listedAt.delete(name);
      listedAt.set(name, now);
    }
    for (const [name, at] of listedAt) {
      if (listedAt.size <= MAX_NAMES && (names.has(name) || now - at < KEPT_MS)) return;
      listedAt.delete(name);
    }
  }
}
