import type { Logger } from '../index.js';
import { StartupError } from './startup-error.js';

/** Secrets, certificates and private keys in files of their own: they belong to the machine, and not to the configuration file. */
export interface MachineFiles {
  /**
   * Returns the result of `read`.
   *
   * @param standIn Takes its place where the configuration file is checked without the files of the machine.
   * @throws {StartupError} If a file is missing or cannot be used, and is needed.
   */
  use<T>(read: () => T, standIn: () => T): T;
}

/** For a start. */
export const NEEDED_FILES: MachineFiles = { use: (read) => read() };

/** For commands that use no secret. */
export const NO_FILES: MachineFiles = { use: (_read, standIn) => standIn() };

/** For a check: warns of what a start refuses. A file is often checked where its secrets are not. */
export function createOptionalFiles({ warn }: Pick<Logger, 'warn'>): MachineFiles {
  return {
    use(read, standIn) {
      try {
        return read();
      } catch (error) {
        if (!(error instanceof StartupError)) throw error;
        warn(`${error.message.replace(/\.$/, '')}. A start refuses that`);
        return standIn();
      }
    },
  };
}
