/**
 * Where the package tells an operator what it noticed. A pino logger fits, and so does `console`.
 * Lines never hold a token, a secret or a message body. Default of every `logger` option: nobody is told.
 */
export interface Logger {
  debug(line: string): void;
  info(line: string): void;
  warn(line: string): void;
  error(line: string): void;
}

/** The default: tells nobody. A library that prints uninvited spoils its user's output. */
export const SILENT: Logger = Object.freeze({ debug: ignore, info: ignore, warn: ignore, error: ignore });

function ignore(): void {
  // Silence is the point.
}
