import { ignoreRejection } from './ignore-rejection.js';
import { printable } from './printable.js';

/**
 * Receives log lines for the operator. A pino logger fits, and so does `console`. Lines never contain a token, a secret or a message
 * body. Default of every `logger` option: no logging.
 */
export interface Logger {
  /** Details of single requests, for debugging. */
  debug(line: string): void;
  /** Refused requests, and the stderr output of children. */
  info(line: string): void;
  /** Probable mistakes: weak settings, and settings with which clients cannot log in. */
  warn(line: string): void;
  /** Failures of this server, or of a server that it depends on. */
  error(line: string): void;
}

/** The default logger, which discards every line: a library must not print unless asked to. */
export const SILENT: Logger = Object.freeze({ debug: ignore, info: ignore, warn: ignore, error: ignore });

/** Characters of a line. Longer than any useful line. */
const MAX_LINE = 4_096;

/**
 * Wraps a logger so that it cannot fail: an error of the logger must neither change a decision nor end the process. Every line is
 * printable and limited in length, including text that other parties chose.
 */
export function createSafeLogger(logger: Logger): Logger {
  const safe = (level: keyof Logger) => (line: string) => {
    try {
      ignoreRejection(logger[level](printable(line, MAX_LINE)));
    } catch {
      // There is no other place to report an error of the logger.
    }
  };
  return { debug: safe('debug'), info: safe('info'), warn: safe('warn'), error: safe('error') };
}

/** Wraps a logger so that every line begins with `who`, for parts that do not know whose they are. */
export function createNamedLogger(who: string, logger: Logger): Logger {
  const named = (level: keyof Logger) => (line: string) => logger[level](`${who}: ${line}`);
  return { debug: named('debug'), info: named('info'), warn: named('warn'), error: named('error') };
}

function ignore(): void {
  // Discards the line.
}
