import { type ChildProcess, spawn } from 'node:child_process';
import { type Logger, SILENT } from '../../core/logger.js';
import { createRareLine } from '../../core/rare-line.js';
import { atEndOfTurn } from '../../http/end-of-turn.js';
import type { BridgeErrorCode } from '../../messages/bridge-error.js';
import { readMessage } from '../../messages/json-rpc.js';
import { encodeLine, LineReader } from '../../messages/line-codec.js';
import { readBatch } from '../../messages/read-batch.js';
import type { Connection, ConnectionListener, SingleTarget } from '../connection.js';
import { adviceOnLongMessage, UnexpectedOutput } from '../unexpected-output.js';
import { Waiters, type WaitLimits } from '../waiters.js';
import { ChildEnd } from './child-end.js';
import { stopTree } from './process-tree.js';
import { logStderr } from './stderr-lines.js';
import type { Watchdog } from './watchdog.js';

/** The recipe of a child: everything except its environment, which may depend on the caller. */
export interface ChildRecipe extends WaitLimits {
  /** The name of the target in the log; undefined if the backend has only this program. */
  readonly target?: string | undefined;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string | undefined;
  /** Advice for the log on a child that ended before its first message. */
  readonly environmentHint?: string | undefined;
  readonly maxMessageBytes: number;
  readonly watchdog: Watchdog;
  readonly logger: Logger;
}

const LATE_START = 'Start its command by hand to see why, or raise startTimeoutSeconds if it needs longer';
const LAST_OUTPUT_MS = 500;
const LAST_ANSWERS_MS = 5_000;
/** The messages that open a connection. They carry no call. */
const OPENING: ReadonlySet<string | undefined> = new Set([
  'initialize',
  'server/discover',
  'notifications/initialized',
]);

/** One running program and its three streams. */
export class Child implements Connection {
  readonly pid: number | undefined;
  readonly exited: Promise<void>;
  /** Resolves when the child and every process that it started have ended. */
  readonly ended: Promise<void>;
  readonly target: SingleTarget;
  isProbed = false;
  readonly waiters: Waiters;
  readonly #process: ChildProcess;
  readonly #recipe: ChildRecipe;
  #listener: ConnectionListener | undefined;
  #isAlive = true;
  /** True if something was written and the child has printed nothing since. */
  #isBusy = false;
  readonly #unexpectedOutput = new UnexpectedOutput(
    (text) => this.#recipe.logger[this.isProbed ? 'debug' : 'warn'](`${this.#name}: ${text}`),
    (size) => `a line ${size} on stdout`,
  );
  #reader: LineReader | undefined;
  #lines = 0;
  /** True once a message of a client was written: what the child prints may then repeat it. */
  #hasCalls = false;
  #lastLines: () => readonly string[] = () => [];
  readonly #end = new ChildEnd();
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
    this.target = { name: recipe.target };
    this.waiters = new Waiters(recipe);
    this.pid = started.pid;
    if (started.pid !== undefined) watchdog.guard(started.pid);
    if (started.stderr) this.#lastLines = logStderr(started.stderr, this.#name, logger, () => this.isProbed);
    // If no file descriptors are left there are no pipes, whatever the types say, and 'error' follows.
    const streams = (started.stdio as typeof started.stdio | undefined) ?? [];
    // Errors of pipes are ignored: the child is gone already, or is stopped by the next lines.
    for (const stream of streams) stream?.on('error', () => undefined);
    // A child may close its input and live on, and requests that wait for it would wait forever. It may still answer what it has read.
    started.stdin?.once('error', () => {
      this.#end.close('input');
      setTimeout(() => void this.#stop(), LAST_ANSWERS_MS).unref();
    });
    started.stdout?.once('end', () => this.#onStdoutEnd());
    this.exited = new Promise((resolve) => {
      started.once('exit', () => resolve());
      started.once('error', () => resolve());
    });
    this.ended = this.exited.then(() => this.#stop());
    started.on('error', (error) => this.#onFailure(error, command, logger));
    started.once('exit', (code, signal) => this.#onExit(code, signal, logger));
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** Starts to read the child's messages. Until then they wait in the pipe. */
  listen(listener: ConnectionListener): void {
    this.#listener = listener;
    const { maxMessageBytes, logger } = this.#recipe;
    const warn = createRareLine((line) => logger.warn(line));
    const reader = new LineReader(maxMessageBytes, {
      line: (bytes) => {
        for (const message of readBatch(bytes) ?? [bytes]) {
          this.#lines++;
          listener.message(message);
        }
      },
      oversized: (head, tail) => {
        this.#lines++;
        if (this.#unexpectedOutput.addLong(head)) return;
        warn(`${this.#name}: ${adviceOnLongMessage(maxMessageBytes)}`);
        listener.oversized(head, tail);
      },
    });
    this.#reader = reader;
    this.#process.stdout?.on('data', (chunk: Buffer) => {
      this.#isBusy = false;
      reader.push(chunk);
    });
    if (!this.#isAlive) queueMicrotask(() => listener.gone(this.#goneReason));
  }

  write(message: Buffer): void {
    const stdin = this.#process.stdin;
    if (!stdin?.writable) return;
    if (this.#isBusy && stdin.writableCorked === 0) {
      // Requests that arrive together are written together: each write wakes the child up, which costs more than anything else here.
      stdin.cork();
      atEndOfTurn(() => stdin.uncork());
    }
    this.#isBusy = true;
    this.#hasCalls ||= !OPENING.has(readMessage(message)?.method);
    stdin.write(encodeLine(message));
  }

  whenWritable(since: number, bytes = 0): Promise<void> | undefined {
    const drained = this.#drain();
    return drained && this.waiters.wait(drained, since, bytes);
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

  pause(): void {
    this.#process.stdout?.pause();
  }

  resume(): void {
    this.#process.stdout?.resume();
  }

  /** Logs a line that is not a message. */
  logUnreadable(line: Buffer): void {
    this.#unexpectedOutput.add(line, !this.#hasCalls);
  }

  /** Logs that the child did not start within `seconds`, and how much it printed instead. */
  logLateStart(seconds: number): void {
    const { command, logger } = this.#recipe;
    const printed = `${this.#unexpectedOutput.count} lines that are not MCP messages, and ${this.#reader?.waiting ?? 0} bytes without a line end`;
    logger.error(
      `${this.#name}: the MCP server "${command}" did not start within ${seconds} s (startTimeoutSeconds); on stdout it printed ${printed}. ${LATE_START}`,
    );
  }

  /** Ends the child and everything it started. */
  stop(): Promise<void> {
    this.#end.stop();
    return this.#stop();
  }

  #stop(): Promise<void> {
    this.#stopping ??= stopTree(this.#process, this.exited).then(() => {
      if (this.pid !== undefined) this.#recipe.watchdog.release(this.pid);
    });
    return this.#stopping;
  }

  /** The child in log lines. */
  get #name(): string {
    const { target } = this.#recipe;
    return target === undefined ? `child ${this.pid}` : `child ${this.pid} (${target})`;
  }

  get #goneReason(): BridgeErrorCode {
    return this.pid === undefined ? 'child_not_started' : 'child_exited';
  }

  #onFailure(error: Error, command: string, logger: Logger): void {
    if (this.pid !== undefined) return;
    const ofTarget = this.#recipe.target === undefined ? '' : ` of target "${this.#recipe.target}"`;
    logger.error(`the MCP server "${command}"${ofTarget} did not start: ${error.message}`);
    this.#notifyGone();
  }

  #onExit(code: number | null, signal: NodeJS.Signals | null, logger: Logger): void {
    const describe = this.#end.exit(code, signal);
    if (describe === undefined) logger.debug(`${this.#name} exited with ${signal ?? code}`);
    void this.#stop();
    // Its last output may still be in the pipe. The wait is short, because processes that it started may keep the pipe open forever.
    setTimeout(() => {
      const hasAnswered = this.#lines > this.#unexpectedOutput.count;
      const { environmentHint } = this.#recipe;
      // Programs of revisions with sessions may end when the bridge asks for others.
      const level = this.isProbed ? 'debug' : 'warn';
      if (describe)
        logger[level](`${this.#name} ${describe({ hasAnswered, lastLines: this.#lastLines(), environmentHint })}`);
      this.#notifyGone();
    }, LAST_OUTPUT_MS);
  }

  // A child that has closed its stdout is of no use, even if it still runs.
  #onStdoutEnd(): void {
    this.#end.close('output');
    this.#notifyGone();
    void this.#stop();
  }

  #notifyGone(): void {
    if (!this.#isAlive) return;
    this.#isAlive = false;
    this.#listener?.gone(this.#goneReason);
  }
}
