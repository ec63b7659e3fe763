import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

/** Far more than a configuration, a key set or a token ever has. */
const MAX_FILE_BYTES = 1_048_576;

/** Without it, opening a named pipe waits until a writer comes. Windows has neither. */
const { O_RDONLY, O_NONBLOCK = 0 } = constants;

/**
 * Reads a file of text that a user named. A device, a pipe or a socket is refused: it may never end.
 *
 * @throws {Error} That of Node, with a `code`; or one without, whose `message` is a reason to put in brackets.
 */
export function readRegularFile(file: string): string {
  const descriptor = openSync(file, O_RDONLY | O_NONBLOCK);
  try {
    const stats = fstatSync(descriptor);
    // To read a folder has an error of its own.
    if (!stats.isFile() && !stats.isDirectory()) throw new Error('not a regular file');
    return readText(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function readText(descriptor: number): string {
  // Read to its end, and not by its size, which is 0 for those of the kernel and grows while a file is written.
  const bytes = Buffer.allocUnsafe(MAX_FILE_BYTES + 1);
  let length = 0;
  for (let read = -1; read !== 0 && length < bytes.length; length += read) {
    read = readSync(descriptor, bytes, length, bytes.length - length, null);
  }
  if (length > MAX_FILE_BYTES) throw new Error(`larger than ${MAX_FILE_BYTES} bytes`);
  return bytes.toString('utf8', 0, length);
}

/** Why a file could not be read, for a message: `ENOENT`, or `not a regular file`. */
export function fileFault(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}
