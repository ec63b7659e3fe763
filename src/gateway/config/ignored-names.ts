/** The names given to `--ignore`. */
export class IgnoredNames {
  readonly #names: ReadonlySet<string>;
  readonly #used = new Set<string>();

  constructor(names: readonly string[]) {
    this.#names = new Set(names);
  }

  /** The names for which the file has nothing that may be left out. */
  get unused(): readonly string[] {
    return [...this.#names].filter((name) => !this.#used.has(name));
  }

  /** True if a feature with this name is left out. */
  has(name: string): boolean {
    if (this.#names.has(name)) this.#used.add(name);
    return this.#names.has(name);
  }
}

/** Says that a name given to `--ignore` leaves nothing out. */
export const describeUnused = (name: string) => `has no ${name} that can be left out: remove it from --ignore`;
