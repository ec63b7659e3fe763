import { isProgram } from '../targets/stdio/is-command-line.js';
import { pathIn } from './child-options.js';

/**
 * False if the program of a child is not there. If `env` is a function, each caller may have a PATH of their own, so that a program
 * without a folder in its name counts as there.
 */
export function hasProgram(
  { command, cwd }: { readonly command: string; readonly cwd: string | undefined },
  env: unknown,
): boolean {
  if (typeof env === 'function' && !/[/\\]/.test(command)) return true;
  return isProgram(command, cwd, pathIn(env));
}
