/** How many bytes are kept of bodies that are still arriving: of one caller (anonymous callers count as one), and of all in this process. */
const MAX_BYTES_OF_CALLER = 16_777_216;
const MAX_BYTES_IN_ALL = 67_108_864;

/** One body that is still arriving. */
export interface ArrivingBody {
  /** Counts some more bytes. If they are too many, the largest of the bodies that are counted together is refused. */
  add(bytes: number): void;
  /** It has arrived, or nothing of it is kept any more. */
  done(): void;
}

interface Counted {
  bytes: number;
  readonly giveWay: () => void;
}

/** Bodies that are counted together. */
class Account {
  readonly bodies = new Set<Counted>();
  bytes = 0;
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  /** A body alone may be as long as its reader allows. */
  get isOverdrawn(): boolean {
    return this.bytes > this.#max && this.bodies.size > 1;
  }

  /** The largest: the sender of a short body is never refused because of the bodies of others. */
  get largest(): Counted | undefined {
    let largest: Counted | undefined;
    for (const body of this.bodies) if (largest === undefined || body.bytes > largest.bytes) largest = body;
    return largest;
  }
}

export function createBodyBudget(maxOfCaller = MAX_BYTES_OF_CALLER, maxInAll = MAX_BYTES_IN_ALL) {
  const all = new Account(maxInAll);
  const callers = new Map<string | undefined, Account>();

  /** Begins to count a body. `giveWay` refuses it, and calls `done()`. */
  return function begin(caller: string | undefined, giveWay: () => void): ArrivingBody {
    const body: Counted = { bytes: 0, giveWay };
    const own = callers.get(caller) ?? new Account(maxOfCaller);
    callers.set(caller, own);
    for (const account of [own, all]) account.bodies.add(body);
    return {
      add(bytes) {
        for (const counted of [body, own, all]) counted.bytes += bytes;
        for (const account of [own, all]) {
          while (account.isOverdrawn && all.bodies.has(body)) account.largest?.giveWay();
        }
      },
      done() {
        if (!all.bodies.has(body)) return;
        for (const account of [own, all]) {
          account.bodies.delete(body);
          account.bytes -= body.bytes;
        }
        if (own.bodies.size === 0) callers.delete(caller);
      },
    };
  };
}

/** That of this process: it has one memory. */
export const beginBody = createBodyBudget();
