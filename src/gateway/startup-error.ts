import { printable } from '../core/printable.js';
import { fileFault, readRegularBytes } from '../core/read-regular-file.js';
import { ConfigError } from '../index.js';

/** The gateway cannot start. `message` tells the operator why, in one or two sentences. */
export class StartupError extends Error {
  override readonly name = 'StartupError';
}

/** Characters of the message. */
const MAX_MESSAGE = 4_096;

/** Says in one line why a start or a reload has failed. */
export function failureText(error: unknown): string {
  const { message } = error as Error;
  return printable(error instanceof StartupError ? message : `unexpected failure: ${message}`, MAX_MESSAGE);
}

/** Runs `create`, and puts the file, or the place in it, before the message of a ConfigError or StartupError. */
export function atPlace<T>(place: string, create: () => T): T {
  try {
    return create();
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof StartupError)) throw error;
    throw new StartupError(`${place}: ${error.message}`, { cause: error });
  }
}

/**
 * Reads a file that the user has named.
 *
 * @throws {StartupError} If the file does not exist or cannot be read.
 */
export function readInputFile(file: string): string {
  return readInputBytes(file).toString('utf8');
}

/** The same, as bytes. */
export function readInputBytes(file: string): Buffer {
  try {
    return readRegularBytes(file);
  } catch (error) {
    const fault = fileFault(error);
    const why = fault === 'ENOENT' ? 'the file does not exist' : `it cannot be read (${fault})`;
    throw new StartupError(`${file}: ${why}`, { cause: error });
  }
}
