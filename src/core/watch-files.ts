import { type FSWatcher, statSync, unwatchFile, watch, watchFile } from 'node:fs';
import { dirname } from 'node:path';

/** Editors empty, write and rename a file. A change is reported this long after the first event, when they are usually done. */
const SETTLE_MS = 50;
const POLL_EVERY_MS = 2_000;

export interface FileWatch {
  /** Called when one of the files may have changed. */
  onChange(): void;
  /** Called with Node's error if a folder cannot be watched. The files are polled all the same. */
  onTrouble(folder: string, error: Error): void;
}

/**
 * Watches the folders of files: editors and Kubernetes replace a file (or the link) by a new one, which would end a watch on the file
 * itself. Also polls the files: one behind a link into another folder, or mounted alone into a container, changes without an event in its
 * folder. Does not keep the process alive.
 *
 * @returns The function that ends the watch.
 */
export function watchFiles(files: Iterable<string>, { onChange, onTrouble }: FileWatch): () => void {
  // No file has a name with NUL, and Node refuses to watch one.
  const names = [...new Set(files)].filter((name) => !name.includes('\0'));
  let reported = fingerprintsOf(names);
  let timer: NodeJS.Timeout | undefined;
  const changeSoon = () => {
    // A later event does not restart the timer: another file in the folder may change all the time.
    timer ??= setTimeout(() => {
      timer = undefined;
      reported = fingerprintsOf(names);
      onChange();
    }, SETTLE_MS).unref();
  };
  const onPoll = () => {
    if (fingerprintsOf(names) !== reported) changeSoon();
  };
  const watchers = [...new Set(names.map((name) => dirname(name)))].flatMap(
    (folder) => watchFolder(folder, changeSoon, onTrouble) ?? [],
  );
  for (const name of names) {
    const poller = watchFile(name, { persistent: false, interval: POLL_EVERY_MS }, onPoll);
    // Node shares one poller per file, and each watch adds a listener.
    poller.setMaxListeners(0);
  }
  return () => {
    clearTimeout(timer);
    for (const watcher of watchers) watcher.close();
    for (const name of names) unwatchFile(name, onPoll);
  };
}

function watchFolder(folder: string, onEvent: () => void, onTrouble: FileWatch['onTrouble']): FSWatcher | undefined {
  try {
    const watcher = watch(folder, { persistent: false }, onEvent);
    watcher.on('error', (error) => onTrouble(folder, error));
    return watcher;
  } catch (error) {
    onTrouble(folder, error as Error);
    return undefined;
  }
}

/** Changes with the files. */
function fingerprintsOf(names: readonly string[]): string {
  return names.map(fingerprintOf).join();
}

/** Empty if there is no such file, or it cannot be seen. */
function fingerprintOf(name: string): string {
  try {
    const { ino, size, mtimeMs } = statSync(name);
    return `${ino} ${size} ${mtimeMs}`;
  } catch {
    return '';
  }
}
