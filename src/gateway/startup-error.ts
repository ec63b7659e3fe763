import { fileFault, readRegularFile } from '../core/read-regular-file.js';
import { ConfigError } from '../index.js';

/** What keeps the gateway from starting. `message` is one sentence, or two, for whoever runs it. */
export class StartupError extends Error {
  override readonly name = 'StartupError';
}

/** Names the file, or the place in it, of what is refused. */
export function atPlace<T>(place: string, create: () => T): T {
  try {
    return create();
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof StartupError)) throw error;
    throw new StartupError(`${place}: ${error.message}`, { cause: error });
  }
}

/** @throws {StartupError} */
export function readInputFile(file: string): string {
  try {
    return readRegularFile(file);
  } catch (error) {
    const fault = fileFault(error);
    const why = fault === 'ENOENT' ? 'there is no such file' : `it cannot be read (${fault})`;
    throw new StartupError(`${file}: ${why}`, { cause: error });
  }
}
