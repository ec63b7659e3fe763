import { printableJson } from '../core/printable.js';
import { describeNoMessage, isProse } from '../messages/child-line.js';

// Enough to see what a program prints there, without flooding the log.
const MAX_LOGGED_LINES = 5;
/** Characters of a quoted line. */
const MAX_QUOTED = 200;

/** Counts the lines or answers of a server that are not messages, and logs the length and kind of the first ones. */
export class UnexpectedOutput {
  readonly #log: (text: string) => void;
  readonly #describe: (bytes: number) => string;
  #count = 0;

  /** @param describe Returns the words for one of them, for the log. */
  constructor(log: (text: string) => void, describe: (bytes: number) => string) {
    this.#log = log;
    this.#describe = describe;
  }

  get count(): number {
    return this.#count;
  }

  /** @param isQuoted True to quote a line of plain text. Nothing of a caller may be in it. */
  add(line: Buffer, isQuoted = false): void {
    this.#count++;
    if (this.#count > MAX_LOGGED_LINES) return;
    const more = this.#count === MAX_LOGGED_LINES ? '; further lines are not logged' : '';
    const quoted = isQuoted && isProse(line) ? `: ${printableJson(line.toString('utf8'), MAX_QUOTED)}` : '';
    this.#log(`${this.#describe(line.length)} is not an MCP message: ${describeNoMessage(line)}${quoted}${more}`);
  }
}
