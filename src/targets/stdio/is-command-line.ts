import { existsSync } from 'node:fs';
import { delimiter, resolve } from 'node:path';
import { inheritedEnvironment } from './child-environment.js';

/**
 * True if `command` is a whole command line, such as "npx -y x", and not a program: it contains a blank, and no file of that name
 * exists in `cwd` or on `path`.
 */
export function isCommandLine(command: string, cwd = '.', path?: string): boolean {
  if (!command.includes(' ')) return false;
  const { PATH = '', PATHEXT = '' } = inheritedEnvironment([]);
  const folders = [cwd, ...(path ?? PATH).split(delimiter)];
  const endings = ['', ...PATHEXT.split(';')];
  return !folders.some((folder) => endings.some((ending) => existsSync(resolve(folder, command + ending))));
}
