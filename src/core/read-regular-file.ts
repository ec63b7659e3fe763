import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

/** Far larger than any configuration, key set or token. */
const MAX_FILE_BYTES = 1_048_576;

/** Without O_NONBLOCK, opening a named pipe waits for a writer. Windows has neither. */
const { O_RDONLY, O_NONBLOCK = 0 } = constants;

/** Reads a text file, as {@link readRegularBytes} does. */
export function readRegularFile(file: string): string {
  return readRegularBytes(file).toString('utf8');
}

/**
 * Reads a file that a user named. It refuses a device, a pipe or a socket, which may never end, and more than 1 MiB.
 *
 * @throws {Error} Node's error with a `code`, or an error without one. {@link fileFault} describes both.
 */
export function readRegularBytes(file: string): Buffer {
  const descriptor = openSync(file, O_RDONLY | O_NONBLOCK);
  try {
    const stats = fstatSync(descriptor);
    // Reading a folder throws Node's own error, EISDIR.
    if (!stats.isFile() && !stats.isDirectory()) throw new Error('not a regular file');
    return readAll(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function readAll(descriptor: number): Buffer {
  // Read to the end, not by size: kernel files (/proc) have size 0, and a file may grow while it is read.
  const bytes = Buffer.allocUnsafe(MAX_FILE_BYTES + 1);
  let length = 0;
  for (let read = -1; read !== 0 && length < bytes.length; length += read) {
    read = readSync(descriptor, bytes, length, bytes.length - length, null);
  }
  if (length > MAX_FILE_BYTES) throw new Error(`larger than ${MAX_FILE_BYTES} bytes`);
  // A copy: the command keeps the files of its configuration, and a part of this buffer would keep all of it in memory.
  return Buffer.from(bytes.subarray(0, length));
}

/** Describes for a message why a file could not be read, for example `ENOENT` or `not a regular file`. */
export function fileFault(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}
