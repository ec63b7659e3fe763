import { describeNoMessage } from '../../messages/child-line.js';

// Enough to see what a program prints there, without flooding the log.
const MAX_LOGGED_LINES = 5;

/** Counts the lines on a child's stdout that are not messages, and logs the length and kind of the first ones. */
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
    const more = this.#count === MAX_LOGGED_LINES ? '; further lines are not logged' : '';
    this.#log(`a line of ${line.length} bytes on stdout is not an MCP message: ${describeNoMessage(line)}${more}`);
  }
}
