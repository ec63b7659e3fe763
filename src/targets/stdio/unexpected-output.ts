import { describeNoMessage } from '../../messages/child-line.js';

// Enough to see what a program prints there; more would be a flood.
const MAX_LOGGED_LINES = 5;

/** The lines on a child's stdout that are no messages: the first are logged by length and kind, the rest is counted. */
export class UnexpectedOutput {
  readonly #log: (text: string) => void;
  #count = 0;

  constructor(log: (text: string) => void) {
    this.#log = log;
  }

  get count(): number {
    return this.#count;
  }

  add(line: Buffer): void {
    this.#count++;
    if (this.#count > MAX_LOGGED_LINES) return;
    const more = this.#count === MAX_LOGGED_LINES ? '; further ones are not logged' : '';
    this.#log(`a line of ${line.length} bytes on stdout is no message: ${describeNoMessage(line)}${more}`);
  }
}
