import { ignoreRejection } from './ignore-rejection.js';
import type { LogFields } from './log-fields.js';
import { printable } from './printable.js';

/**
 * Receives log lines for the operator. A pino logger fits, and so does `console`. Lines never contain a token, a secret or a message
 * body. Default of every `logger` option: no logging.
 */
export interface Logger {
  /** Details of single requests, for debugging. */
  debug(line: string): void;
  /** Requests that are refused because of the client, and the stderr output of children. */
  info(line: string): void;
  /** Probable mistakes, such as weak settings; limits that are reached; children that end by themselves. */
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
  const wrapped = { debug: safe('debug'), info: safe('info'), warn: safe('warn'), error: safe('error') };
  return inheritFields(wrapped, logger, createSafeLogger);
}

/** Wraps a logger so that every line begins with `who`, for parts that do not know which function uses them. */
export function createNamedLogger(who: string, logger: Logger): Logger {
  const named = (level: keyof Logger) => (line: string) => logger[level](`${who}: ${line}`);
  const wrapped = { debug: named('debug'), info: named('info'), warn: named('warn'), error: named('error') };
  return inheritFields(wrapped, logger, (inner) => createNamedLogger(who, inner));
}

const withMoreFields = new WeakMap<Logger, (fields: LogFields) => Logger>();

/**
 * Registers a logger that can write fields, and returns it.
 *
 * @param more Returns the same logger, whose lines have further fields.
 */
export function registerFields(logger: Logger, more: (fields: LogFields) => Logger): Logger {
  withMoreFields.set(logger, more);
  return logger;
}

/** True if a logger can write fields. */
export function takesFields(logger: Logger): boolean {
  return withMoreFields.has(logger);
}

/** Returns a logger whose lines have these fields too; the same logger if it cannot write fields. */
export function withFields(logger: Logger, fields: LogFields): Logger {
  return withMoreFields.get(logger)?.(fields) ?? logger;
}

/** Registers a logger that wraps `inner`, if that one can write fields. */
function inheritFields(logger: Logger, inner: Logger, wrap: (inner: Logger) => Logger): Logger {
  const more = withMoreFields.get(inner);
  return more === undefined ? logger : registerFields(logger, (fields) => wrap(more(fields)));
}

function ignore(): void {
  // Discards the line.
}
