import { setTimeout as delay } from 'node:timers/promises';
import { type BackendFault, faultsOf } from '../bridge/backend-faults.js';
import { printable } from '../core/printable.js';
import type { Logger, McpAuth } from '../index.js';
import type { AnyBackend } from './admin-source.js';

/** One part of the command or of an application that can be ready or not. */
export interface ReadyCheck {
  /** Its place in the configuration file, or the option or path of an application. */
  readonly at: string;
  /** Resolves to what is wrong with it; undefined if it is ready. */
  problem(): Promise<ReadyProblem | undefined>;
}

interface ReadyProblem {
  /** Also for the answers to probes, which anyone in the network may send. */
  readonly text: string;
  /** For the operator's log alone: it may contain addresses of this network. */
  readonly reason?: string;
}

export function checkKeys(at: string, auth: McpAuth): ReadyCheck {
  return {
    at,
    problem: async () => ((await auth.ready()) ? undefined : { text: 'the keys of an issuer cannot be read' }),
  };
}

export function checkBackend(at: string, backend: AnyBackend): ReadyCheck {
  const problem = async () => {
    const faults = await faultsOf(backend);
    return faults.length === 0 ? undefined : problemWith(faults);
  };
  return { at, problem };
}

function problemWith(faults: readonly BackendFault[]): ReadyProblem {
  const names = faults.flatMap(({ target }) => target ?? []);
  const which = names.length === 0 ? 'the MCP server' : `the target ${names.join(', ')}`;
  const reasons = faults.map(({ target, reason }) =>
    target === undefined || faults.length === 1 ? reason : `${target}: ${reason}`,
  );
  return {
    text: `${which} is not there, or cannot be reached`,
    reason: printable(reasons.join('; '), MAX_REASON_LENGTH),
  };
}

/** A result is used again for this time, so that many probes cause no more requests to MCP servers than one. */
const FRESH_MS = 1_000;
/** Characters of the reasons in the log. */
const MAX_REASON_LENGTH = 500;

/** Probes of Kubernetes wait for 1 second. */
const MAX_WAIT_MS = 800;

/** Checks the parts of a server, for probes and for the admin page, at most once a second. */
export class Readiness {
  readonly #checks: () => readonly ReadyCheck[];
  readonly #logger: Logger;
  #known: readonly string[] | undefined;
  #checking: Promise<void> | undefined;
  #checkedAt = Number.NEGATIVE_INFINITY;

  /** @param checks Returns the current checks. */
  constructor(checks: () => readonly ReadyCheck[], logger: Logger) {
    this.#checks = checks;
    this.#logger = logger;
  }

  /** Resolves to one string for each part that is not ready; empty if all are ready. While a check takes long, returns the result of the last one. */
  async problems(): Promise<readonly string[]> {
    if (performance.now() - this.#checkedAt >= FRESH_MS)
      this.#checking ??= this.#check().finally(() => {
        this.#checking = undefined;
      });
    if (this.#checking) await Promise.race([this.#checking, delay(MAX_WAIT_MS, undefined, { ref: false })]);
    return this.#known ?? ['the first check is still running'];
  }

  async #check(): Promise<void> {
    const problems = await Promise.all(this.#checks().map(problemOf));
    this.#report(problems.filter((problem) => problem !== undefined));
    this.#checkedAt = performance.now();
  }

  /** Logs a change of the problems. Another reason for the same problem is not logged, because it can change with every check. */
  #report(problems: readonly ReadyProblem[]): void {
    const last = this.#known ?? [];
    const known = problems.map(({ text }) => text);
    this.#known = known;
    const lines = problems.map(({ text, reason }) => (reason === undefined ? text : `${text} (${reason})`));
    if (known.length > 0 && known.join() !== last.join()) this.#logger.warn(`Not ready: ${lines.join('; ')}`);
    if (known.length === 0 && last.length > 0) this.#logger.info('Ready again');
  }
}

async function problemOf({ at, problem }: ReadyCheck): Promise<ReadyProblem | undefined> {
  const found = await problem();
  return found && { ...found, text: `${at}: ${found.text}` };
}
