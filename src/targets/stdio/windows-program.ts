import { win32 } from 'node:path';

/** The facts about a Windows machine that decide how a program starts on it. */
export interface WindowsMachine {
  /** The running program, `process.execPath`. */
  readonly execPath: string;
  /** The folders of the PATH. */
  readonly path: readonly string[];
  /** The folder in which relative names begin. */
  readonly cwd: string;
  isFile(name: string): boolean;
}

/** A program and its arguments. */
export interface Program {
  readonly command: string;
  readonly args: readonly string[];
}

const NODE = /^node(?:\.exe)?$/i;
const NPM = /^(npm|npx)(?:\.cmd)?$/i;
/** Windows starts these itself, and finds them without their endings. */
const PROGRAM_ENDINGS = ['.com', '.exe'];
/** Only cmd.exe runs these, and it would read the arguments as its own language. */
const BATCH_ENDINGS = ['.cmd', '.bat'];

/**
 * Returns the program that is started on Windows for `command`, without a shell. `npm` and `npx` are batch files there, so Node starts
 * npm's JavaScript file.
 *
 * @returns Undefined if only a shell can start it: another batch file, or `npm` without its files.
 */
export function windowsProgram({ command, args }: Program, machine: WindowsMachine): Program | undefined {
  const node = NODE.test(win32.basename(machine.execPath)) ? machine.execPath : 'node';
  const [, npm] = NPM.exec(win32.basename(command)) ?? [];
  if (npm !== undefined) {
    const script = npmScript(npm.toLowerCase(), command, machine);
    return script === undefined ? undefined : { command: node, args: [script, ...args] };
  }
  if (NODE.test(command)) return { command: node, args };
  return isBatchFile(command, machine) ? undefined : { command, args };
}

/** The JavaScript file of `npm` or `npx`: it is next to the batch file, which is usually next to Node. */
function npmScript(name: string, command: string, { execPath, path, isFile }: WindowsMachine): string | undefined {
  const folders = hasFolder(command) ? [win32.dirname(command)] : [win32.dirname(execPath), ...path];
  return folders.map((folder) => win32.join(folder, 'node_modules', 'npm', 'bin', `${name}-cli.js`)).find(isFile);
}

function isBatchFile(command: string, { path, cwd, isFile }: WindowsMachine): boolean {
  const ending = win32.extname(command).toLowerCase();
  if (BATCH_ENDINGS.includes(ending)) return true;
  if (PROGRAM_ENDINGS.includes(ending)) return false;
  const folders = hasFolder(command) ? [cwd] : [cwd, ...path];
  const isThere = (end: string) => folders.some((folder) => isFile(win32.resolve(folder, command + end)));
  return !PROGRAM_ENDINGS.some(isThere) && BATCH_ENDINGS.some(isThere);
}

function hasFolder(command: string): boolean {
  return /[\\/]/.test(command);
}
