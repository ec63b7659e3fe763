import { ignoreRejection } from './ignore-rejection.js';
import { printable } from './printable.js';

/**
 * Where the package tells an operator what it noticed. A pino logger fits, and so does `console`.
 * Lines never hold a token, a secret or a message body. Default of every `logger` option: no logging.
 */
export interface Logger {
  /** Details of single requests, for the time of debugging. */
  debug(line: string): void;
  /** Refused requests, and what a child wrote. */
  info(line: string): void;
  /** What is likely not meant: weak settings, clients that cannot log in. */
  warn(line: string): void;
  /** Failures of this server, or of a server that it depends on. */
  error(line: string): void;
}

/** The default: tells nobody. A library that prints uninvited spoils its user's output. */
export const SILENT: Logger = Object.freeze({ debug: ignore, info: ignore, warn: ignore, error: ignore });

/** Characters. Longer than any line that has something to say. */
const MAX_LINE = 4_096;

/**
 * The same logger, but one that cannot fail: what it throws must not turn a decision round, or end the process from
 * somewhere in the background. It has its own ways to report. Every line is printable and bounded, also where it
 * repeats text of others.
 */
export function createSafeLogger(logger: Logger): Logger {
  const careful = (level: keyof Logger) => (line: string) => {
    try {
      ignoreRejection(logger[level](printable(line, MAX_LINE)));
    } catch {
      // See above.
    }
  };
  return { debug: careful('debug'), info: careful('info'), warn: careful('warn'), error: careful('error') };
}

function ignore(): void {
  // Silence is the point.
}
