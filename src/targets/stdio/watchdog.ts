import { type ChildProcess, spawn } from 'node:child_process';
import { within } from './process-tree.js';

/**
 * The program of the watchdog, which outlives our process. It reads process group ids, `+id` and `-id`, one a line. Its input ends
 * when our process ends, for whatever reason. Then it sends SIGTERM to the groups that are left, and SIGKILL 2 s later. It is a
 * string and not a file, so that it works in bundled applications.
 */
const PROGRAM = `
const groups = new Set();
let rest = '';
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => {});
const send = (signal) => {
  for (const group of groups) {
    try { process.kill(-group, signal); } catch { groups.delete(group); }
  }
};
process.stdin.setEncoding('latin1').on('data', (text) => {
  const lines = (rest + text).split('\\n');
  rest = lines.pop();
  for (const line of lines) {
    const group = Number(line.slice(1));
    if (line[0] === '+') groups.add(group);
    else groups.delete(group);
  }
}).on('close', () => {
  send('SIGTERM');
  setTimeout(() => { send('SIGKILL'); process.exit(0); }, groups.size === 0 ? 0 : 2000);
});
`;

/** The time that `stop()` waits for the program to end, and once more after SIGKILL, in milliseconds. */
const STOP_MS = 1_000;
const MIN_LIFE_MS = 1_000;
const MAX_EARLY_EXITS = 3;

/** A second process, which ends the process groups of our children if our process ends without stopping them (SIGKILL, crash). */
export class Watchdog {
  readonly #groups = new Set<number>();
  #process: ChildProcess | undefined;
  #earlyExits = 0;

  /** Adds a group that ends when our process is gone. */
  guard(group: number): void {
    if (process.platform === 'win32') return;
    this.#groups.add(group);
    if (this.#process === undefined) this.#start();
    else this.#send(`+${group}\n`);
  }

  /** Removes a group that has ended: the kernel may give its id to another process. */
  release(group: number): void {
    if (this.#groups.delete(group)) this.#send(`-${group}\n`);
  }

  /** Ends the watchdog itself. Call it when no group is left. */
  async stop(): Promise<void> {
    const watchdog = this.#process;
    this.#process = undefined;
    if (watchdog === undefined) return;
    const exited = new Promise<void>((resolve) => watchdog.once('exit', () => resolve()));
    // So far it did not keep our process alive. Now it does, so that close() can wait for its end.
    watchdog.ref();
    watchdog.stdin?.end();
    if (await within(exited, STOP_MS)) return;
    // It was stopped (SIGSTOP) or is stuck: only SIGKILL reaches it.
    watchdog.kill('SIGKILL');
    await within(exited, STOP_MS);
    watchdog.unref();
  }

  #send(line: string): void {
    if (this.#process?.stdin?.writable) this.#process.stdin.write(line);
  }

  #start(): void {
    const watchdog = startProgram();
    if (watchdog === undefined) return;
    this.#process = watchdog;
    const born = performance.now();
    const forget = (): void => {
      if (this.#process !== watchdog) return;
      this.#process = undefined;
      // Another program may have ended it, so it is started again. If it keeps exiting early, it is given up.
      this.#earlyExits = performance.now() - born > MIN_LIFE_MS ? 0 : this.#earlyExits + 1;
      if (this.#groups.size > 0 && this.#earlyExits < MAX_EARLY_EXITS) this.#start();
    };
    watchdog.on('error', forget).on('exit', forget);
    // Errors of the pipe are ignored: the 'exit' event is handled above.
    watchdog.stdin?.on('error', () => undefined);
    watchdog.unref();
    // Undefined if no file descriptors were left for the pipe.
    (watchdog.stdin as unknown as { unref(): void } | undefined)?.unref();
    for (const group of this.#groups) this.#send(`+${group}\n`);
  }
}

function startProgram(): ChildProcess | undefined {
  try {
    return spawn(process.execPath, ['-e', PROGRAM], {
      // In its own process group: a Ctrl-C in the terminal must not end it before our process.
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
      // In Electron, `process.execPath` runs as Node only with this variable.
      env: { ELECTRON_RUN_AS_NODE: '1' },
    });
  } catch {
    // No more processes can be started. close() still stops the children; only after a SIGKILL of our process they live on.
    return undefined;
  }
}

let shared: { readonly watchdog: Watchdog; users: number } | undefined;

/** Returns the watchdog of our process, which all backends share. Call `releaseWatchdog()` when it is no longer needed. */
export function acquireWatchdog(): Watchdog {
  shared ??= { watchdog: new Watchdog(), users: 0 };
  shared.users++;
  return shared.watchdog;
}

/** Ends the watchdog when its last user releases it. */
export async function releaseWatchdog(): Promise<void> {
  if (shared === undefined || --shared.users > 0) return;
  const { watchdog } = shared;
  shared = undefined;
  await watchdog.stop();
}
