import { existsSync } from 'node:fs';
import { delimiter, isAbsolute, resolve } from 'node:path';
import { ownVariable } from './child-environment.js';

/**
 * True if `command` is a whole command line, such as "npx -y x", and not a program: it contains a blank, and no file of that name
 * exists in `cwd` or on `path`.
 */
export function isCommandLine(command: string, cwd = '.', path?: string): boolean {
  return command.includes(' ') && !isInFolder(command, [cwd, ...foldersOf(path)]);
}

/** True if a program of this name can be found: on `path`, or as a file if the name has a folder. */
export function isProgram(command: string, cwd = '.', path?: string): boolean {
  const hasFolder = isAbsolute(command) || /[/\\]/.test(command);
  return isInFolder(command, hasFolder ? [cwd] : foldersOf(path));
}

/** The folders of `path`, or of our own PATH. */
export function foldersOf(path: string | undefined): readonly string[] {
  return (path ?? ownVariable('PATH')).split(delimiter);
}

function isInFolder(command: string, folders: readonly string[]): boolean {
  const endings = ['', ...ownVariable('PATHEXT').split(';')];
  return folders.some((folder) => endings.some((ending) => existsSync(resolve(folder, command + ending))));
}
