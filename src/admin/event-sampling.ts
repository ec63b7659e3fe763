/** The kinds of events that have a share of their own. `login`: a decision that let a request pass; each call has one. */
export type SampledKind = 'failure' | 'call' | 'login';

/** Events that a page gets in one second. */
const MAX_EVENTS = 80;
/** Calls, and logins, of these. So a flood of one kind hides no other, and 20 are kept for failures. */
const MAX_OF_KIND: Readonly<Record<SampledKind, number>> = { failure: MAX_EVENTS, call: 30, login: 30 };

/** Chooses the events that pages get, and counts all events. */
export class EventSampling {
  #seen = 0;
  #shown = none();

  /** True if the event is to be sent. */
  take(kind: SampledKind): boolean {
    this.#seen += 1;
    if (sumOf(this.#shown) >= MAX_EVENTS || this.#shown[kind] >= MAX_OF_KIND[kind]) return false;
    this.#shown[kind] += 1;
    return true;
  }

  /** Returns the counts of the second that ends, and begins the next one. */
  next(): { readonly seen: number; readonly shown: number } {
    const counts = { seen: this.#seen, shown: sumOf(this.#shown) };
    this.#seen = 0;
    this.#shown = none();
    return counts;
  }
}

function none(): Record<SampledKind, number> {
  return { failure: 0, call: 0, login: 0 };
}

function sumOf({ failure, call, login }: Readonly<Record<SampledKind, number>>): number {
  return failure + call + login;
}
