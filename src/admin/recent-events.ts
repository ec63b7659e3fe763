/** An event for pages, also for those that connect later. */
export interface LoggedEvent {
  readonly name: string;
  readonly data: object;
}

/** Describes an event. Called when a page gets it: with no page, events cost next to nothing. */
export type DescribeEvent = () => LoggedEvent;

/** The last events of one kind, with a bound. */
export class RecentEvents {
  readonly #max: number;
  readonly #events: DescribeEvent[] = [];
  #next = 0;

  constructor(max: number) {
    this.#max = max;
  }

  add(event: DescribeEvent): void {
    if (this.#events.length < this.#max) this.#events.push(event);
    else this.#events[this.#next] = event;
    this.#next = (this.#next + 1) % this.#max;
  }

  /** The oldest first. */
  get all(): readonly DescribeEvent[] {
    if (this.#events.length < this.#max) return [...this.#events];
    return [...this.#events.slice(this.#next), ...this.#events.slice(0, this.#next)];
  }
}
