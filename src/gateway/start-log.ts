import type { Logger } from '../index.js';

/** The log of a start. */
export interface StartLog {
  readonly logger: Logger;
  /** Called when the start is over. Later lines are written as they are. */
  end(): void;
}

/**
 * Creates the log of a start.
 *
 * @param conceal Replaces the values of variables: a warning or an error may quote one, and it may be a secret.
 */
export function createStartLog(given: Logger, conceal: (line: string) => string): StartLog {
  let write = conceal;
  return {
    logger: {
      ...given,
      warn: (line) => given.warn(write(line)),
      error: (line) => given.error(write(line)),
    },
    end() {
      write = (line) => line;
    },
  };
}
