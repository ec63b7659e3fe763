/** The kinds of events. `login`: a decision that let a request pass; each call has one. A call can fail, and a login be refused. */
export type SampledKind = 'call' | 'failedCall' | 'login' | 'refusedLogin';

/** Events of one kind that a page gets in one second. Each kind has a share of its own: callers without a token can cause many refusals. */
const MAX_OF_KIND = 20;

/** Chooses the events that pages get, and counts all events. */
export class EventSampling {
  #seen = 0;
  #shown = none();

  /** True if the event is to be sent. */
  take(kind: SampledKind): boolean {
    this.#seen += 1;
    if (this.#shown[kind] >= MAX_OF_KIND) return false;
    this.#shown[kind] += 1;
    return true;
  }

  /** Returns the counts of the second that ends, and begins the next one. */
  next(): { readonly seen: number; readonly shown: number } {
    const { call, failedCall, login, refusedLogin } = this.#shown;
    const counts = { seen: this.#seen, shown: call + failedCall + login + refusedLogin };
    this.#seen = 0;
    this.#shown = none();
    return counts;
  }
}

function none(): Record<SampledKind, number> {
  return { call: 0, failedCall: 0, login: 0, refusedLogin: 0 };
}
