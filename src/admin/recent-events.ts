/** The last events of one kind, with a bound. */
export class RecentEvents<Kept> {
  readonly #max: number;
  readonly #events: Kept[] = [];
  #next = 0;

  constructor(max: number) {
    this.#max = max;
  }

  add(event: Kept): void {
    if (this.#events.length < this.#max) this.#events.push(event);
    else this.#events[this.#next] = event;
    this.#next = (this.#next + 1) % this.#max;
  }

  /** The oldest first. */
  get all(): readonly Kept[] {
    if (this.#events.length < this.#max) return [...this.#events];
    return [...this.#events.slice(this.#next), ...this.#events.slice(0, this.#next)];
  }
}
