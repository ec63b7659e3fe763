import { describeNoMessage } from '../messages/child-line.js';

// Enough to see what a program prints there, without flooding the log.
const MAX_LOGGED_LINES = 5;

/** Counts what a server sends in place of messages, and logs the length and kind of the first ones. */
export class UnexpectedOutput {
  readonly #log: (text: string) => void;
  readonly #describe: (bytes: number) => string;
  #count = 0;

  /** @param describe Names one of them, for the log. */
  constructor(log: (text: string) => void, describe: (bytes: number) => string) {
    this.#log = log;
    this.#describe = describe;
  }

  get count(): number {
    return this.#count;
  }

  add(line: Buffer): void {
    this.#count++;
    if (this.#count > MAX_LOGGED_LINES) return;
    const more = this.#count === MAX_LOGGED_LINES ? '; further lines are not logged' : '';
    this.#log(`${this.#describe(line.length)} is not an MCP message: ${describeNoMessage(line)}${more}`);
  }
}
