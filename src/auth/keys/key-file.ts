import { type Stats, watch, watchFile } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Logger } from '../../core/logger.js';
import { fileFault, readRegularFile } from '../../core/read-regular-file.js';

/** Editors empty, write and rename a file. It is read this long after the first event, when they are usually done. */
const SETTLE_MS = 50;
const POLL_EVERY_MS = 2_000;

export interface WatchedFile<T> {
  /** What the file has, for log lines: `key set of https://auth.example.com`. */
  readonly what: string;
  /** Throws an error whose message quotes nothing of the file. */
  readonly parse: (text: string) => T;
  readonly logger: Logger;
}

/**
 * Reads the file again whenever its folder changes. Editors and Kubernetes replace the file (or the link) by a new one,
 * which would end a watch on the file itself. Logs a file that cannot be used. Does not keep the process alive.
 */
export function watchKeyFile<T>(
  file: string,
  { what, parse, logger }: WatchedFile<T>,
  onChange: (content: T) => void,
): void {
  let known = '';
  const read = async () => {
    known = await stat(file).then(fingerprintOf, () => '');
    try {
      onChange(parse(readRegularFile(file)));
    } catch (error) {
      const fault = fileFault(error);
      logger.error(`${what}: ${file} cannot be used (${fault}); the previous keys stay in use`);
    }
  };
  let isSettling = false;
  const readSoon = () => {
    // A later event does not restart the timer: another file in the folder may change all the time.
    if (isSettling) return;
    isSettling = true;
    setTimeout(() => {
      isSettling = false;
      void read();
    }, SETTLE_MS).unref();
  };
  const watcher = watch(dirname(file), { persistent: false }, readSoon);
  watcher.on('error', (error) => {
    logger.warn(`${what}: the folder of ${file} is no longer watched (${error.message})`);
  });
  // A file behind a link into another folder, or mounted alone into a container, changes without an event in its folder.
  const poller = watchFile(file, { persistent: false, interval: POLL_EVERY_MS }, (now) => {
    if (fingerprintOf(now) !== known) readSoon();
  });
  // Node shares one poller per file, and each policy that reads the file adds a listener.
  poller.setMaxListeners(0);
}

/** Changes with the file; empty if there is none. */
function fingerprintOf({ ino, size, mtimeMs }: Stats): string {
  return ino === 0 ? '' : `${ino} ${size} ${mtimeMs}`;
}
