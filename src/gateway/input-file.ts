import { readFileSync } from 'node:fs';
import { ConfigError } from '../index.js';
import { StartupError } from './startup-error.js';

/** @throws {StartupError} */
export function readInputFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code})`;
    throw new StartupError(`${file}: ${why}`, { cause: error });
  }
}

/** What keeps the command from starting is said of the file in which it stands. */
export function inFile<T>(file: string, create: () => T): T {
  try {
    return create();
  } catch (error) {
    if (error instanceof StartupError) throw new StartupError(`${file}: ${error.message}`, { cause: error });
    throw error;
  }
}

/** What an option must be is said with the place in the file where the option stands. */
export function at<T>(place: string, create: () => T): T {
  try {
    return create();
  } catch (error) {
    if (error instanceof ConfigError) throw new StartupError(`${place}: ${error.message}`, { cause: error });
    throw error;
  }
}
