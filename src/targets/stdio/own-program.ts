import { statSync } from 'node:fs';
import { foldersOf } from './is-command-line.js';
import { type Program, windowsProgram } from './windows-program.js';

/**
 * Returns the program that this machine starts for a `command`, without a shell.
 *
 * @param path The PATH of the program, if it has its own.
 * @returns Undefined if only a shell can start it.
 */
export function ownProgram(program: Program, cwd = process.cwd(), path?: string): Program | undefined {
  if (process.platform !== 'win32') return program;
  const { execPath } = process;
  return windowsProgram(program, { execPath, path: foldersOf(path), cwd, isFile });
}

function isFile(name: string): boolean {
  return statSync(name, { throwIfNoEntry: false })?.isFile() === true;
}
