import type { Logger } from '../../core/logger.js';
import { fileFault, readRegularFile } from '../../core/read-regular-file.js';
import { watchFiles } from '../../core/watch-files.js';

export interface WatchedFile<T> {
  /** The words for its contents, for log lines: `key set of https://auth.example.com`. */
  readonly what: string;
  /** Throws an error whose message quotes nothing of the file. */
  readonly parse: (text: string) => T;
  readonly logger: Logger;
}

/** Ends the watches of policies that are no longer used. */
const watches = new FinalizationRegistry<() => void>((end) => end());

/**
 * Reads the file again whenever it may have changed. Logs a file that cannot be used, and when it can be again. The watch ends when `reader` is no longer used.
 *
 * @param onChange Gets `reader`, and must not keep it: otherwise the watch would.
 */
export function watchKeyFile<T, R extends object>(
  file: string,
  { what, parse, logger }: WatchedFile<T>,
  reader: R,
  onChange: (reader: R, content: T) => void,
): void {
  const weak = new WeakRef(reader);
  let isBroken = false;
  const end = watchFiles([file], {
    onChange() {
      const used = weak.deref();
      if (used === undefined) return;
      try {
        onChange(used, parse(readRegularFile(file)));
        // Without this line, the last one about the file would be the error, though it may have its earlier content again.
        if (isBroken) logger.info(`${what}: ${file} can be used again`);
        isBroken = false;
      } catch (error) {
        isBroken = true;
        const fault = fileFault(error);
        logger.error(`${what}: ${file} cannot be used (${fault}); the previous keys stay in use`);
      }
    },
    onTrouble: (_folder, { message }) =>
      logger.warn(`${what}: the folder of ${file} is not watched (${message}), so it is read every two seconds`),
  });
  watches.register(reader, end);
}
