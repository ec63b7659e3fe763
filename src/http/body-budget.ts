/** Bytes that are kept of bodies that are still arriving, for one caller (anonymous callers count as one) and in the whole process. */
const MAX_BYTES_OF_CALLER = 16_777_216;
const MAX_BYTES_IN_ALL = 67_108_864;

/** One body that is still arriving. */
export interface ArrivingBody {
  /** Counts more bytes. If a limit is exceeded, the largest of the bodies that count towards it is refused. */
  add(bytes: number): void;
  /** Stops counting the body: it has arrived, or its bytes were dropped. */
  done(): void;
}

interface Counted {
  bytes: number;
  refuse: () => void;
}

/** Bodies that are counted together. */
class Account {
  readonly bodies = new Set<Counted>();
  bytes = 0;
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  /** False for a single body: it may be as long as its reader allows. */
  get isOverLimit(): boolean {
    return this.bytes > this.#max && this.bodies.size > 1;
  }

  /** The body to refuse: a short body is never refused because of the large bodies of others. */
  get largest(): Counted | undefined {
    let largest: Counted | undefined;
    for (const body of this.bodies) if (largest === undefined || body.bytes > largest.bytes) largest = body;
    return largest;
  }
}

export function createBodyBudget(maxOfCaller = MAX_BYTES_OF_CALLER, maxInAll = MAX_BYTES_IN_ALL) {
  const all = new Account(maxInAll);
  const callers = new Map<string | undefined, Account>();

  /** Begins to count a body. `refuse` must refuse it and call `done()`. */
  return function begin(caller: string | undefined, refuse: () => void): ArrivingBody {
    const body: Counted = { bytes: 0, refuse };
    const own = callers.get(caller) ?? new Account(maxOfCaller);
    callers.set(caller, own);
    for (const account of [own, all]) account.bodies.add(body);
    return {
      add(bytes) {
        for (const counted of [body, own, all]) counted.bytes += bytes;
        for (const account of [own, all]) {
          while (account.isOverLimit && all.bodies.has(body)) account.largest?.refuse();
        }
      },
      done() {
        if (!all.bodies.has(body)) return;
        // A Set keeps deleted members in memory for a while (see ShortLivedMap), and this function would keep the request with them.
        body.refuse = () => undefined;
        for (const account of [own, all]) {
          account.bodies.delete(body);
          account.bytes -= body.bytes;
        }
        if (own.bodies.size === 0) callers.delete(caller);
      },
    };
  };
}

/** The budget of this process. All bodies share its memory. */
export const beginBody = createBodyBudget();
