/** A part of a route that has state. */
interface Part {
  readonly kind: string;
  /** Equal for parts that do the same. */
  readonly content: string;
  /** The place of its route, see `routeKeyOf()`. */
  readonly place: string;
  /** The key of its route. Several routes may have one place: only the first of them gets requests. */
  readonly key: string;
  readonly value: unknown;
  end(): void;
  resume(): void;
}

/** Returns a part with state to a route: the one that it had before a reload, or a new one. */
export type ReuseOrCreate = <T>(kind: string, content: string, create: () => StatefulPart<T>) => T;

export interface StatefulPart<T> {
  readonly value: T;
  /** Called once no route has the part. */
  end?(): void;
  /** Undoes `end()`. */
  resume?(): void;
}

const NO_END = { end: () => undefined, resume: () => undefined };

/** The parts of all routes. The parts of a later version of the file come from an earlier one where the file is the same. */
export class StatefulParts {
  readonly #parts: Part[] = [];
  readonly #created: Part[] = [];
  /** Parts of the earlier version that no route has taken yet. */
  readonly #earlier: Set<Part>;
  readonly #places: ReadonlySet<string>;

  /**
   * @param earlier Those of the earlier version of the file.
   * @param places The places of the routes of the new version.
   */
  constructor(earlier: StatefulParts | undefined, places: ReadonlySet<string>) {
    this.#earlier = new Set(earlier === undefined ? [] : earlier.#parts);
    this.#places = places;
  }

  /** Keeps the parts of a route that stays as it is. */
  keep(key: string): void {
    for (const part of this.#earlier) {
      if (part.key !== key) continue;
      this.#earlier.delete(part);
      this.#parts.push(part);
    }
  }

  /** Reuses parts for a new route: those of an earlier route at the same place, or else of one whose place the file no longer has. */
  reuserFor(place: string, key = place): ReuseOrCreate {
    return <T>(kind: string, content: string, create: () => StatefulPart<T>): T => {
      const alike = [...this.#earlier].filter((part) => part.kind === kind && part.content === content);
      const found = alike.find((part) => part.place === place) ?? alike.find((part) => !this.#places.has(part.place));
      if (found !== undefined) {
        this.#earlier.delete(found);
        this.#parts.push({ ...found, place, key });
        return found.value as T;
      }
      const part = { kind, content, place, key, ...NO_END, ...this.#createWithout(kind, place, create) };
      this.#parts.push(part);
      this.#created.push(part);
      return part.value;
    };
  }

  /** Creates a part as if the one that it replaces were not there, which stays in use until the new version is used. */
  #createWithout<T>(kind: string, place: string, create: () => StatefulPart<T>): StatefulPart<T> {
    const replaced = [...this.#earlier].find((part) => part.kind === kind && part.place === place);
    replaced?.end();
    try {
      return create();
    } finally {
      replaced?.resume();
    }
  }

  /** Ends the parts of the earlier version that no route of this version has. */
  endEarlier(): void {
    for (const part of this.#earlier) part.end();
    this.#earlier.clear();
  }

  /** Ends the parts that this version created: it is not used. */
  endCreated(): void {
    for (const part of this.#created) part.end();
  }

  /** Ends all parts. */
  end(): void {
    for (const part of this.#parts) part.end();
  }
}
