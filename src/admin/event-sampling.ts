/** Events that a page gets in one second. */
const MAX_EVENTS = 50;
/** The part of these that is kept for failures, so that a flood of calls does not hide a refusal. */
const FOR_FAILURES = 20;

/** Chooses the events that pages get, and counts all events. */
export class EventSampling {
  #seen = 0;
  #shown = 0;
  #plain = 0;

  /** True if the event is to be sent. */
  take(isFailure: boolean): boolean {
    this.#seen += 1;
    const isShown = this.#shown < MAX_EVENTS && (isFailure || this.#plain < MAX_EVENTS - FOR_FAILURES);
    if (!isShown) return false;
    this.#shown += 1;
    if (!isFailure) this.#plain += 1;
    return true;
  }

  /** Returns the counts of the second that ends, and begins the next one. */
  next(): { readonly seen: number; readonly shown: number } {
    const counts = { seen: this.#seen, shown: this.#shown };
    this.#seen = 0;
    this.#shown = 0;
    this.#plain = 0;
    return counts;
  }
}
