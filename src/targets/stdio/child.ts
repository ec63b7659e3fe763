import { type ChildProcess, spawn } from 'node:child_process';
import type { ServerResponse } from 'node:http';
import { type Logger, SILENT } from '../../core/logger.js';
import { BridgeError } from '../../messages/bridge-error.js';
import { encodeLine, type LineListener, LineReader } from '../../messages/line-codec.js';
import { stopTree } from './process-tree.js';
import { logStderr } from './stderr-lines.js';
import { UnexpectedOutput } from './unexpected-output.js';
import { Waiters } from './waiters.js';
import type { Watchdog } from './watchdog.js';

/** How to start a child: everything but its environment, which may depend on the caller. */
export interface ChildRecipe {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string | undefined;
  readonly maxMessageBytes: number;
  /** How many may wait until it reads on, and for how long; 0: as long as they like. */
  readonly maxWaiting: number;
  readonly waitMs: number;
  readonly watchdog: Watchdog;
  readonly logger: Logger;
}

/** What the one who talks with a child is told. */
export interface ChildListener extends LineListener {
  /** The child is gone, or never started; nothing follows. */
  gone(started: boolean): void;
}

const LAST_WORDS_MS = 500;
const LAST_ANSWERS_MS = 5_000;
// What setTimeout() can count.
const MAX_TIMER_MS = 2 ** 31 - 1;

/** One running program and its three streams. */
export class Child {
  readonly pid: number | undefined;
  readonly exited: Promise<void>;
  /** Resolves when nothing is left of it, nor of what it started. */
  readonly ended: Promise<void>;
  /** True while only the bridge asks which revisions it speaks: its stderr then goes to debug. */
  probed = false;
  /** The callers that wait for it: until it reads on, or has told what it is asked before they are served. */
  readonly waiters: Waiters;
  readonly #process: ChildProcess;
  readonly #recipe: ChildRecipe;
  #listener: ChildListener | undefined;
  #alive = true;
  /** True if something was written that the child has not reacted to yet. */
  #busy = false;
  readonly #slowReaders = new Set<ServerResponse>();
  readonly #unexpectedOutput = new UnexpectedOutput((text) => {
    this.#recipe.logger[this.probed ? 'debug' : 'warn'](`child ${this.pid}: ${text}`);
  });
  #reader: LineReader | undefined;
  #drained: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;

  constructor(recipe: ChildRecipe, env: Readonly<Record<string, string>>) {
    const { command, args, cwd, logger, watchdog } = recipe;
    const logs = logger !== SILENT;
    const started = spawn(command, args, {
      cwd,
      env,
      shell: false,
      detached: process.platform !== 'win32',
      windowsHide: true,
      stdio: ['pipe', 'pipe', logs ? 'pipe' : 'ignore'],
    });
    this.#process = started;
    this.#recipe = recipe;
    this.waiters = new Waiters(recipe.maxWaiting);
    this.pid = started.pid;
    if (started.pid !== undefined) watchdog.guard(started.pid);
    if (started.stderr) logStderr(started.stderr, started.pid, logger, () => this.probed);
    // Where no descriptors were left for pipes there are none, whatever the types say; 'error' is on its way then.
    const streams = (started.stdio as typeof started.stdio | undefined) ?? [];
    // A child whose pipes break is ended, or gone already.
    for (const stream of streams) stream?.on('error', () => undefined);
    // It may live on without reading; whoever waits for it would wait for ever. What it has read before it may still answer.
    started.stdin?.once('error', () => setTimeout(() => void this.stop(), LAST_ANSWERS_MS).unref());
    started.stdout?.once('end', () => this.#onSilence());
    this.exited = new Promise((resolve) => {
      started.once('exit', () => resolve());
      started.once('error', () => resolve());
    });
    this.ended = this.exited.then(() => this.stop());
    started.on('error', (error) => this.#onFailure(error, command, logger));
    started.once('exit', (code, signal) => this.#onExit(code, signal, logger));
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** True if a caller waits until it reads on. */
  get isAwaited(): boolean {
    return !this.waiters.isEmpty;
  }

  /** Starts to read the child's messages. Until then they wait in the pipe. */
  listen(listener: ChildListener): void {
    this.#listener = listener;
    const reader = new LineReader(this.#recipe.maxMessageBytes, listener);
    this.#reader = reader;
    this.#process.stdout?.on('data', (chunk: Buffer) => {
      this.#busy = false;
      reader.push(chunk);
    });
    if (!this.#alive) queueMicrotask(() => listener.gone(this.pid !== undefined));
  }

  /** Writes one message. Where the child is slow to read, `ready()` should be awaited before. */
  write(message: Buffer): void {
    const stdin = this.#process.stdin;
    if (!stdin?.writable) return;
    if (this.#busy && stdin.writableCorked === 0) {
      // Requests that arrive together go to the child together: a write wakes it up, and costs more than anything else here.
      stdin.cork();
      setImmediate(() => stdin.uncork());
    }
    this.#busy = true;
    stdin.write(encodeLine(message));
  }

  /**
   * Resolves when the child has read on, or is gone; undefined where it has read enough for one more message. Whoever waited has to
   * ask again, since another may have been faster. Refuses those who would be too many, hold too much with the `bytes` they
   * wait with, or have waited too long since `since`.
   */
  ready(since: number, bytes = 0): Promise<void> | undefined {
    const drained = this.#drain();
    return drained && this.waiters.count(bytes, () => this.#wait(drained, since));
  }

  async #wait(drained: Promise<void>, since: number): Promise<void> {
    const { waitMs } = this.#recipe;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      if (waitMs === 0) return;
      timer = setTimeout(
        () => reject(new BridgeError('request_timed_out')),
        Math.min(since + waitMs - performance.now(), MAX_TIMER_MS),
      );
    });
    try {
      await Promise.race([drained, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  #drain(): Promise<void> | undefined {
    const stdin = this.#process.stdin;
    if (!stdin?.writableNeedDrain || stdin.destroyed) return undefined;
    // One promise for all who wait, however many.
    this.#drained ??= new Promise((resolve) => {
      const done = (): void => {
        stdin.off('drain', done).off('close', done);
        this.#drained = undefined;
        resolve();
      };
      stdin.on('drain', done).on('close', done);
    });
    return this.#drained;
  }

  /**
   * Reads no more from the child until `res` has taken what was written to it: a slow reader slows its child, not the heap. One
   * that has not taken all of it after `patienceMs` is cut off, so that it cannot stop the child for good, not even byte by byte.
   */
  pauseFor(res: ServerResponse, patienceMs: number): void {
    if (this.#slowReaders.has(res) || res.destroyed) return;
    if (this.#slowReaders.size === 0) this.#process.stdout?.pause();
    this.#slowReaders.add(res);
    // That of the request: a response that is queued behind another one has no socket yet, and no 'close'.
    const { socket } = res.req;
    const stalled = setTimeout(() => socket.destroy(), patienceMs);
    const release = (): void => {
      clearTimeout(stalled);
      socket.off('close', release);
      res.off('drain', release).off('finish', release).off('close', release);
      this.#slowReaders.delete(res);
      if (this.#slowReaders.size === 0) this.#process.stdout?.resume();
    };
    res.on('drain', release).on('finish', release).on('close', release);
    socket.on('close', release);
  }

  /** Logs a line that is no message. */
  logUnexpectedLine(line: Buffer): void {
    this.#unexpectedOutput.add(line);
  }

  /** Logs that it did not start in `seconds`, and what it printed instead. */
  logLateStart(seconds: number): void {
    const { command, logger } = this.#recipe;
    const printed = `${this.#unexpectedOutput.count} lines that are no messages, and ${this.#reader?.waiting ?? 0} bytes without a line end`;
    logger.error(
      `child ${this.pid}: the MCP server "${command}" did not start within ${seconds} s (startTimeoutSeconds); on stdout: ${printed}`,
    );
  }

  /** Ends the child and everything it started. */
  stop(): Promise<void> {
    this.#stopping ??= stopTree(this.#process, this.exited).then(() => {
      if (this.pid !== undefined) this.#recipe.watchdog.release(this.pid);
    });
    return this.#stopping;
  }

  #onFailure(error: Error, command: string, logger: Logger): void {
    if (this.pid !== undefined) return;
    logger.error(`the MCP server "${command}" did not start: ${error.message}`);
    this.#tellGone();
  }

  #onExit(code: number | null, signal: NodeJS.Signals | null, logger: Logger): void {
    logger.debug(`child ${this.pid} exited with ${signal ?? code}`);
    void this.stop();
    // Its last words may still be in the pipe; but what it started may hold the pipe open for ever.
    setTimeout(() => this.#tellGone(), LAST_WORDS_MS);
  }

  // Without its output it is of no use, whether it goes on running or not.
  #onSilence(): void {
    this.#tellGone();
    void this.stop();
  }

  #tellGone(): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.#listener?.gone(this.pid !== undefined);
  }
}
