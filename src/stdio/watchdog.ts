import { type ChildProcess, spawn } from 'node:child_process';

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

/** A second process that ends our children's process groups if we are killed without being asked. */
export class Watchdog {
  #process: ChildProcess | undefined;

  /** Ends this group when we are gone. */
  guard(group: number): void {
    if (process.platform === 'win32') return;
    this.#process ??= this.#start();
    this.#tell(`+${group}\n`);
  }

  /** This group is gone; its number may be somebody else's soon. */
  release(group: number): void {
    this.#tell(`-${group}\n`);
  }

  /** Ends the watchdog itself; call it when no group is left. */
  async stop(): Promise<void> {
    const watchdog = this.#process;
    this.#process = undefined;
    if (watchdog === undefined || watchdog.exitCode !== null || watchdog.signalCode !== null) return;
    const exited = new Promise<void>((resolve) => watchdog.once('exit', () => resolve()));
    watchdog.stdin?.end();
    await exited;
  }

  #tell(line: string): void {
    if (this.#process?.stdin?.writable) this.#process.stdin.write(line);
  }

  #start(): ChildProcess {
    // Its own group: a Ctrl-C in the terminal must not end it before us.
    const watchdog = spawn(process.execPath, ['-e', PROGRAM], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
      env: {},
    });
    watchdog.on('error', ignore);
    watchdog.stdin.on('error', ignore);
    watchdog.unref();
    (watchdog.stdin as unknown as { unref(): void }).unref();
    return watchdog;
  }
}

function ignore(): void {
  // Without a watchdog children are still stopped by close(); only a SIGKILL of ours would leave them.
}
