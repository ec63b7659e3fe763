import { type ChildProcess, spawn } from 'node:child_process';
import { within } from './process-tree.js';

/**
 * The program that outlives us. It reads process group ids, `+id` and `-id`, one a line. Its input ends when we do, however that
 * happens: then it ends the groups that are left, first politely. A text and not a file, so that bundled applications
 * have it too.
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

/** How long its end may take, and then how long that of one that was killed. */
const STOP_MS = 1_000;
const MIN_LIFE_MS = 1_000;
const MAX_EARLY_EXITS = 3;

/** A second process that ends our children's process groups if we are killed without being asked. */
export class Watchdog {
  readonly #groups = new Set<number>();
  #process: ChildProcess | undefined;
  #earlyDeaths = 0;

  /** Ends this group when we are gone. */
  guard(group: number): void {
    if (process.platform === 'win32') return;
    this.#groups.add(group);
    if (this.#process === undefined) this.#start();
    else this.#send(`+${group}\n`);
  }

  /** This group is gone; its number may be somebody else's soon. */
  release(group: number): void {
    if (this.#groups.delete(group)) this.#send(`-${group}\n`);
  }

  /** Ends the watchdog itself; call it when no group is left. */
  async stop(): Promise<void> {
    const watchdog = this.#process;
    this.#process = undefined;
    if (watchdog === undefined) return;
    const exited = new Promise<void>((resolve) => watchdog.once('exit', () => resolve()));
    // It kept nobody from ending so far; whoever waits for close() is to see it come true.
    watchdog.ref();
    watchdog.stdin?.end();
    if (await within(exited, STOP_MS)) return;
    // It was stopped (SIGSTOP), or is stuck; only this signal reaches it then.
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
      // Somebody ended it; but one that cannot live is not started for ever.
      this.#earlyDeaths = performance.now() - born > MIN_LIFE_MS ? 0 : this.#earlyDeaths + 1;
      if (this.#groups.size > 0 && this.#earlyDeaths < MAX_EARLY_EXITS) this.#start();
    };
    watchdog.on('error', forget).on('exit', forget);
    // Its exit is what counts.
    watchdog.stdin?.on('error', () => undefined);
    watchdog.unref();
    // Not there where no descriptors were left for it.
    (watchdog.stdin as unknown as { unref(): void } | undefined)?.unref();
    for (const group of this.#groups) this.#send(`+${group}\n`);
  }
}

function startProgram(): ChildProcess | undefined {
  try {
    return spawn(process.execPath, ['-e', PROGRAM], {
      // Its own group: a Ctrl-C in the terminal must not end it before us.
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
      // Inside Electron our own program is no Node unless it is told to be.
      env: { ELECTRON_RUN_AS_NODE: '1' },
    });
  } catch {
    // No more processes can be had: the children are still stopped by close(), only not after a SIGKILL of ours.
    return undefined;
  }
}

let shared: { readonly watchdog: Watchdog; users: number } | undefined;

/** The watchdog of this process: one is enough, however many backends there are. Give it back with `dropWatchdog()`. */
export function takeWatchdog(): Watchdog {
  shared ??= { watchdog: new Watchdog(), users: 0 };
  shared.users++;
  return shared.watchdog;
}

/** Ends the watchdog when its last user drops it. */
export async function dropWatchdog(): Promise<void> {
  if (shared === undefined || --shared.users > 0) return;
  const { watchdog } = shared;
  shared = undefined;
  await watchdog.stop();
}
