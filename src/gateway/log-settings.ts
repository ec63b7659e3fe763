import type { Logger } from '../index.js';

export const LOG_FORMATS = ['text', 'json'] as const;
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const satisfies readonly (keyof Logger)[];

/** The settings of the log. A member that is left out comes from the file or from the defaults: the command line overrides the file. */
export interface LogSettings {
  readonly format?: (typeof LOG_FORMATS)[number];
  /** The lowest level that is written. */
  readonly level?: (typeof LOG_LEVELS)[number];
}

export const LOG_DEFAULTS = { format: 'text', level: 'info' } as const satisfies Required<LogSettings>;

/** The options of the command line, for `parseArgs()`. */
export const LOG_OPTIONS = { log: { type: 'string' }, 'log-level': { type: 'string' } } as const;

/** @throws {StartupError} If a value is not one of the words. */
export function parseLogOptions(
  { log, 'log-level': level }: { readonly log?: string | undefined; readonly 'log-level'?: string | undefined },
  usageError: (problem: string) => Error,
): LogSettings {
  const word = <W extends string>(words: readonly W[], given: string, option: string): W => {
    const found = words.find((each) => each === given);
    if (found === undefined) throw usageError(`${option} must be one of ${words.join(', ')}`);
    return found;
  };
  return {
    ...(log !== undefined && { format: word(LOG_FORMATS, log, '--log') }),
    ...(level !== undefined && { level: word(LOG_LEVELS, level, '--log-level') }),
  };
}
