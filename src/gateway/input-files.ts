import { createHash } from 'node:crypto';
import { readInputBytes, StartupError } from './startup-error.js';

/** The content of a file, or the reason why it cannot be read. */
type Input = { readonly bytes: Buffer } | { readonly error: unknown };

/** The files of one start or reload. Each is read once, so that what is compared, hashed and parsed is the same. */
export class InputFiles {
  readonly #inputs = new Map<string, Input>();
  #warn: ((message: string) => void) | undefined;

  /** Warns of secrets, certificates and private keys that cannot be used, and does not throw: a file is often checked on a machine without them. */
  tolerate(warn: (message: string) => void): void {
    this.#warn = warn;
  }

  /**
   * Returns the result of `read`, which reads a secret, a certificate or a private key: these belong to the machine.
   *
   * @param standIn Takes its place in a check.
   * @throws {StartupError} If it cannot be used, unless this is a check.
   */
  use<T>(read: () => T, standIn: () => T): T {
    try {
      return read();
    } catch (error) {
      if (this.#warn === undefined || !(error instanceof StartupError)) throw error;
      this.#warn(error.message);
      return standIn();
    }
  }

  /**
   * Returns the text of a file.
   *
   * @throws {StartupError} If it does not exist or cannot be read.
   */
  read(file: string): string {
    return this.#bytesOf(file).toString('utf8');
  }

  /** Returns the beginning of a file's SHA-256, as `sha256sum` prints it. */
  hashOf(file: string): string {
    return sha256(this.#bytesOf(file)).slice(0, HASH_LENGTH);
  }

  /** Reads files that something else will use, so that a change of them is noticed. */
  note(files: Iterable<string>): void {
    for (const file of files) this.#input(file);
  }

  /** The names of the files that were read, or looked for. */
  get names(): readonly string[] {
    return [...this.#inputs.keys()];
  }

  /** Returns a digest of the names and contents of these files. */
  digestOf(names: readonly string[]): string {
    const contents = names.map((name) => {
      const input = this.#input(name);
      return [name, 'bytes' in input ? sha256(input.bytes) : 'none'];
    });
    return sha256(JSON.stringify(contents));
  }

  #bytesOf(file: string): Buffer {
    const input = this.#input(file);
    if ('error' in input) throw input.error;
    return input.bytes;
  }

  #input(file: string): Input {
    const known = this.#inputs.get(file);
    if (known !== undefined) return known;
    const input = readInput(file);
    this.#inputs.set(file, input);
    return input;
  }
}

/** Enough to tell two versions of a file apart by eye. */
const HASH_LENGTH = 12;

function readInput(file: string): Input {
  try {
    return { bytes: readInputBytes(file) };
  } catch (error) {
    return { error };
  }
}

/** Returns the SHA-256 in hexadecimal digits. */
export function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

/** For commands that use no secret. */
export const NO_SECRETS: Pick<InputFiles, 'read' | 'use'> = { read: () => '', use: (_read, standIn) => standIn() };
