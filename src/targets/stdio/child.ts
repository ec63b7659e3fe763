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

/** The recipe of a child: everything except its environment, which may depend on the caller. */
export interface ChildRecipe {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string | undefined;
  readonly maxMessageBytes: number;
  /** The number of requests that may wait until the child reads on. */
  readonly maxWaiting: number;
  /** The longest time that each of them may wait, in milliseconds; 0 is no limit. */
  readonly waitMs: number;
  readonly watchdog: Watchdog;
  readonly logger: Logger;
}

/** Receives the messages of a child, and its end. */
export interface ChildListener extends LineListener {
  /** Called last: the child is gone, or never started. */
  gone(started: boolean): void;
}

const LAST_OUTPUT_MS = 500;
const LAST_ANSWERS_MS = 5_000;
// The longest delay that setTimeout() accepts.
const MAX_TIMER_MS = 2 ** 31 - 1;

/** One running program and its three streams. */
export class Child {
  readonly pid: number | undefined;
  readonly exited: Promise<void>;
  /** Resolves when the child and every process that it started have ended. */
  readonly ended: Promise<void>;
  /** True while the bridge asks which revisions the child speaks. Its output is then logged at debug. */
  probed = false;
  /** The requests that wait until the child reads on, or until it has answered the bridge's own requests. */
  readonly waiters: Waiters;
  readonly #process: ChildProcess;
  readonly #recipe: ChildRecipe;
  #listener: ChildListener | undefined;
  #alive = true;
  /** True if something was written and the child has printed nothing since. */
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
    // If no file descriptors are left there are no pipes, whatever the types say, and 'error' follows.
    const streams = (started.stdio as typeof started.stdio | undefined) ?? [];
    // Errors of pipes are ignored: the child is gone already, or is stopped by the next lines.
    for (const stream of streams) stream?.on('error', () => undefined);
    // A child may close its input and live on, and requests that wait for it would wait for ever. It may still answer what it has read.
    started.stdin?.once('error', () => setTimeout(() => void this.stop(), LAST_ANSWERS_MS).unref());
    started.stdout?.once('end', () => this.#onStdoutEnd());
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

  /** True if a request waits for this child; see `waiters`. */
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

  /** Writes one message. Await `ready()` before: the child may be slow to read. */
  write(message: Buffer): void {
    const stdin = this.#process.stdin;
    if (!stdin?.writable) return;
    if (this.#busy && stdin.writableCorked === 0) {
      // Requests that arrive together are written together: each write wakes the child up, which costs more than anything else here.
      stdin.cork();
      setImmediate(() => stdin.uncork());
    }
    this.#busy = true;
    stdin.write(encodeLine(message));
  }

  /**
   * Returns undefined if the child can take one more message, else a promise that resolves when it has read on, or is gone. Call it
   * again after that: another request may have been faster. `bytes` is the size of the body that waits.
   *
   * @throws {BridgeError} As a rejection: `too_many_pending` if too many requests or bytes wait, `request_timed_out` at `waitMs` after `since`.
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
    // One promise for all requests that wait.
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
   * Stops reading from the child until `res` has drained: a slow client slows its child down and does not fill the heap. A client
   * that has not read everything after `maxDrainMs` is disconnected, so that it cannot stop the child for good, not even by reading
   * byte by byte.
   */
  pauseFor(res: ServerResponse, maxDrainMs: number): void {
    if (this.#slowReaders.has(res) || res.destroyed) return;
    if (this.#slowReaders.size === 0) this.#process.stdout?.pause();
    this.#slowReaders.add(res);
    // The socket of the request: a response that is queued behind another one has no socket yet, and emits no 'close'.
    const { socket } = res.req;
    const stalled = setTimeout(() => socket.destroy(), maxDrainMs);
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

  /** Logs a line that is not a message. */
  logUnexpectedLine(line: Buffer): void {
    this.#unexpectedOutput.add(line);
  }

  /** Logs that the child did not start within `seconds`, and how much it printed instead. */
  logLateStart(seconds: number): void {
    const { command, logger } = this.#recipe;
    const printed = `${this.#unexpectedOutput.count} lines that are not MCP messages, and ${this.#reader?.waiting ?? 0} bytes without a line end`;
    logger.error(
      `child ${this.pid}: the MCP server "${command}" did not start within ${seconds} s (startTimeoutSeconds); on stdout it printed ${printed}`,
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
    this.#notifyGone();
  }

  #onExit(code: number | null, signal: NodeJS.Signals | null, logger: Logger): void {
    logger.debug(`child ${this.pid} exited with ${signal ?? code}`);
    void this.stop();
    // Its last output may still be in the pipe. The wait is short, because processes that it started may keep the pipe open for ever.
    setTimeout(() => this.#notifyGone(), LAST_OUTPUT_MS);
  }

  // A child that has closed its stdout is of no use, even if it still runs.
  #onStdoutEnd(): void {
    this.#notifyGone();
    void this.stop();
  }

  #notifyGone(): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.#listener?.gone(this.pid !== undefined);
  }
}
