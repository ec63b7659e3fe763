import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The root of this repository. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const CLI = `${ROOT}dist/gateway/cli.js`;

/** A real process, started as a user would start it. */
export interface Program {
  readonly pid: number;
  /** Everything it has written so far. */
  readonly stdout: string;
  readonly stderr: string;
  /** Resolves to the first match in its stdout. Rejects if it ends without a match. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
  /** Resolves when it has ended to its exit code, or to the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  stop(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals>;
}

const running = new Set<ChildProcess>();

/** Ends the programs that a failed test left running. For `afterEach` or `afterAll`. */
export async function endPrograms(): Promise<void> {
  for (const child of running) {
    child.kill('SIGTERM');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
}

interface ProgramOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs `node` with these arguments. */
export function startNode(args: readonly string[], options?: ProgramOptions): Program {
  return startProgram(process.execPath, args, options);
}

/** Runs a shell command in a new terminal, which `script` of util-linux creates. */
export function startTerminal(command: string, env: Readonly<Record<string, string>> = {}): Program {
  return startProgram('script', ['--quiet', '--return', '--command', command, '/dev/null'], { env });
}

/** Runs a command with these arguments, without a shell. */
export function startProgram(
  command: string,
  args: readonly string[],
  { cwd = ROOT, env = {} }: ProgramOptions = {},
): Program {
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  const written = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      written[name] += text;
      child.emit('written');
    });
  }
  const ended = once(child, 'close').then(() => {
    running.delete(child);
    return child.exitCode ?? (child.signalCode as NodeJS.Signals);
  });
  return {
    pid: child.pid as number,
    get stdout() {
      return written.stdout;
    },
    get stderr() {
      return written.stderr;
    },
    says: (pattern) => said(child, () => written, pattern),
    ended,
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      return await ended;
    },
  };
}

async function said(
  child: ChildProcess,
  written: () => Readonly<{ stdout: string; stderr: string }>,
  pattern: RegExp,
): Promise<RegExpExecArray> {
  return await new Promise((resolve, reject) => {
    function look(): void {
      const match = pattern.exec(written().stdout);
      if (match) resolve(match);
    }
    child.on('written', look);
    child.on('close', () =>
      reject(new Error(`ended without saying ${pattern}:\n${written().stdout}${written().stderr}`)),
    );
    look();
  });
}

/** True if a process is running. A zombie process does not count. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== 'linux' || !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}
