/** One combination of labels, and what is counted for it. */
export interface SeriesOf<Value> {
  /** In the order of the names. */
  readonly labels: readonly string[];
  readonly value: Value;
}

interface Branch<Value> {
  readonly branches: Map<string, Branch<Value>>;
  series: SeriesOf<Value> | undefined;
}

/** The series of one metric. prom-client builds a string of all labels for each look-up; this does not. */
export class SeriesTable<Value> {
  readonly #create: () => Value;
  readonly #root: Branch<Value> = { branches: new Map(), series: undefined };
  readonly #all: SeriesOf<Value>[] = [];

  constructor(create: () => Value) {
    this.#create = create;
  }

  /** Returns the value for these labels. A new one is created for labels that were never seen. */
  at(...labels: readonly string[]): Value {
    let branch = this.#root;
    for (let i = 0; i < labels.length; i++) {
      const label = labels[i] as string;
      branch = branch.branches.get(label) ?? grow(branch, label);
    }
    branch.series ??= this.#add(labels);
    return branch.series.value;
  }

  all(): readonly SeriesOf<Value>[] {
    return this.#all;
  }

  #add(labels: readonly string[]): SeriesOf<Value> {
    const series = { labels, value: this.#create() };
    this.#all.push(series);
    return series;
  }
}

function grow<Value>(branch: Branch<Value>, label: string): Branch<Value> {
  const grown: Branch<Value> = { branches: new Map(), series: undefined };
  branch.branches.set(label, grown);
  return grown;
}
