import { StartupError } from '../startup-error.js';

/** The names given to `--ignore`. */
export class IgnoredNames {
  readonly #names: ReadonlySet<string>;
  readonly #used = new Set<string>();

  constructor(names: readonly string[]) {
    this.#names = new Set(names);
  }

  /** True if a feature with this name is left out. */
  has(name: string): boolean {
    if (this.#names.has(name)) this.#used.add(name);
    return this.#names.has(name);
  }

  /** @throws {StartupError} If the file has no feature of such a name that may be left out. */
  refuseUnused(): void {
    const unused = [...this.#names].find((name) => !this.#used.has(name));
    if (unused === undefined) return;
    throw new StartupError(`has no ${unused} that can be left out: remove it from --ignore`);
  }
}
