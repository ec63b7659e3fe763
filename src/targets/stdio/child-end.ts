type Stream = 'input' | 'output';

/** A program that ends closes its output a moment before. One that still runs after this time has closed it on purpose. */
const MAX_END_MS = 1_000;

/** The facts about a child when its last output has arrived. */
export interface ChildOutput {
  /** True if it has sent an MCP message. */
  readonly hasAnswered: boolean;
  /** Its last lines on stderr, printable. */
  readonly lastLines: readonly string[];
  /** Advice on its environment if it sent no message; undefined for none. */
  readonly environmentHint: string | undefined;
}

/** Finds out why a child ended, for the log. */
export class ChildEnd {
  #isStopped = false;
  #closed: { readonly stream: Stream; readonly at: number } | undefined;

  /** The bridge stops the child. */
  stop(): void {
    if (this.#closed === undefined) this.#isStopped = true;
  }

  /** The child has closed one of its streams. */
  close(stream: Stream): void {
    if (!this.#isStopped) this.#closed ??= { stream, at: performance.now() };
  }

  /** The child has exited. Returns the function that describes it; undefined if the bridge has stopped it. */
  exit(code: number | null, signal: NodeJS.Signals | null): ((output: ChildOutput) => string) | undefined {
    if (this.#isStopped) return undefined;
    const closed = this.#closed;
    const isLate = closed !== undefined && performance.now() - closed.at >= MAX_END_MS;
    const how = signal === null ? `code ${code}` : `signal ${signal}`;
    // Until its last output has arrived, the bridge may stop what is left of it.
    this.#closed ??= { stream: 'output', at: performance.now() };
    return isLate
      ? (output) => describe(`closed its standard ${closed.stream} and was stopped (${how})`, undefined, output)
      : (output) => describe(`ended by itself (${how})`, signal ?? undefined, output);
  }
}

const NOT_STARTED = 'it sent no MCP message. Start its command by hand to see why';
const KILLED =
  'Linux kills programs when memory is short, and its log says so: lower maxSessions, or give the machine more memory';
const OTHERWISE = 'the requests in flight failed, and clients open new sessions';

/** Says what happened, what to do, and what the child wrote last. */
function describe(what: string, signal: NodeJS.Signals | undefined, output: ChildOutput): string {
  const { lastLines } = output;
  const said =
    lastLines.length === 0 ? 'It printed nothing on stderr' : `Its last lines on stderr: ${lastLines.join(' | ')}`;
  return `${what}: ${adviceAfter(signal, output)}. ${said}`;
}

function adviceAfter(
  signal: NodeJS.Signals | undefined,
  { hasAnswered, environmentHint }: Omit<ChildOutput, 'lastLines'>,
): string {
  if (signal === 'SIGKILL') return KILLED;
  if (hasAnswered) return OTHERWISE;
  return environmentHint === undefined ? NOT_STARTED : `${NOT_STARTED}; ${environmentHint}`;
}
