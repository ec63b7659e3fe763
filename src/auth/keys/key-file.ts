import { type Stats, watch, watchFile } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Logger } from '../../core/logger.js';
import { fileFault, readRegularFile } from '../../core/read-regular-file.js';
import type { Jwks } from '../../policy/auth-options.js';
import { parseJwks } from '../../policy/jwks-source.js';

/** An editor empties, writes and renames; the file is read when it has been quiet for this long. */
const SETTLE_MS = 50;
const LOOK_EVERY_MS = 2_000;

/**
 * Reads the file again whenever its folder changes: editors and Kubernetes put a new file (or a new link) in the place
 * of the old one, which a watch on the file itself would not survive. Does not keep the process alive.
 */
export function watchKeyFile(
  file: string,
  { issuer, logger }: { readonly issuer: string; readonly logger: Logger },
  onChange: (jwks: Jwks) => void,
): void {
  let seen = '';
  const read = async () => {
    seen = await stat(file).then(markOf, () => '');
    try {
      onChange(parseJwks(readRegularFile(file)));
    } catch (error) {
      const fault = fileFault(error);
      logger.error(`key set of ${issuer}: ${file} cannot be used (${fault}); the keys read before stay`);
    }
  };
  let isSettling = false;
  const readSoon = () => {
    // Not put off by the next event: something else in the folder may change all the time.
    if (isSettling) return;
    isSettling = true;
    setTimeout(() => {
      isSettling = false;
      void read();
    }, SETTLE_MS).unref();
  };
  const watcher = watch(dirname(file), { persistent: false }, readSoon);
  watcher.on('error', (error) => {
    logger.warn(`key set of ${issuer}: the folder of ${file} is no longer watched (${error.message})`);
  });
  // A file behind a link into another folder, or mounted alone into a container, changes without a word to its folder.
  const looks = watchFile(file, { persistent: false, interval: LOOK_EVERY_MS }, (now) => {
    if (markOf(now) !== seen) readSoon();
  });
  // Shared by all who look at this file.
  looks.setMaxListeners(0);
}

/** Empty where there is no file. */
function markOf({ ino, size, mtimeMs }: Stats): string {
  return ino === 0 ? '' : `${ino} ${size} ${mtimeMs}`;
}
