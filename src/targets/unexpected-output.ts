import { printableJson } from '../core/printable.js';
import { beginsLikeMessage, describeNoMessage, isProse } from '../messages/child-line.js';

// Enough to see what a program prints there, without flooding the log.
const MAX_LOGGED_LINES = 5;
/** Characters of a quoted line. */
const MAX_QUOTED = 200;

/** Counts the lines or answers of a server that are not messages, and logs the length and kind of the first ones. */
export class UnexpectedOutput {
  readonly #log: (text: string) => void;
  readonly #describe: (size: string) => string;
  #count = 0;

  /** @param describe Returns the words for one of them, for the log. `size` is `of 7 bytes`, for example. */
  constructor(log: (text: string) => void, describe: (size: string) => string) {
    this.#log = log;
    this.#describe = describe;
  }

  get count(): number {
    return this.#count;
  }

  /** @param isQuoted True to quote a line of plain text. Nothing of a caller may be in it. */
  add(line: Buffer, isQuoted = false): void {
    this.#note(`of ${line.length} bytes`, () => {
      const quoted = isQuoted && isProse(line) ? `: ${printableJson(line.toString('utf8'), MAX_QUOTED)}` : '';
      return `${describeNoMessage(line)}${quoted}`;
    });
  }

  /** Counts a line over the limit that begins with `head`. Returns false, and counts nothing, if it may be a message. */
  addLong(head: Buffer): boolean {
    if (beginsLikeMessage(head)) return false;
    this.#note('over maxMessageBytes', () => 'it does not begin like one');
    return true;
  }

  #note(size: string, kind: () => string): void {
    this.#count++;
    if (this.#count > MAX_LOGGED_LINES) return;
    const more = this.#count === MAX_LOGGED_LINES ? '; further lines are not logged' : '';
    this.#log(`${this.#describe(size)} is not an MCP message: ${kind()}${more}`);
  }
}

/** Returns what to log about a message over the limit. */
export function adviceOnLongMessage(maxMessageBytes: number): string {
  return `a message is longer than ${maxMessageBytes} bytes: raise maxMessageBytes if it must be so long`;
}
