import { setTimeout as delay } from 'node:timers/promises';
import { unreadyTargetsOf } from '../bridge/unready-targets.js';
import type { Logger, McpAuth } from '../index.js';
import type { AnyBackend } from './admin-source.js';

/** One part of the gateway that can be ready or not. */
export interface ReadyCheck {
  /** Its place in the file. */
  readonly at: string;
  /** Resolves to what is wrong with it; undefined if it is ready. */
  problem(): Promise<string | undefined>;
}

export function checkKeys(at: string, auth: McpAuth): ReadyCheck {
  return { at, problem: async () => ((await auth.ready()) ? undefined : 'the keys of an issuer cannot be read') };
}

export function checkBackend(at: string, backend: AnyBackend): ReadyCheck {
  const problem = async () => {
    if (await backend.ready()) return undefined;
    const names = await unreadyTargetsOf(backend);
    const which = names.length === 0 ? 'the MCP server' : `the target ${names.join(', ')}`;
    return `${which} is not there, or cannot be reached`;
  };
  return { at, problem };
}

/** A result counts for this time, so that probes from many machines cause no more requests to MCP servers than one. */
const FRESH_MS = 1_000;
/** Probes of Kubernetes wait for 1 second. */
const MAX_WAIT_MS = 800;

/** Checks the parts of a gateway for probes, each at most once a second. */
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

  /** Resolves to the parts that are not ready; empty if all are. While a check takes long, the result of the last one counts. */
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
    this.#report(problems.flat());
    this.#checkedAt = performance.now();
  }

  #report(problems: readonly string[]): void {
    const last = this.#known ?? [];
    this.#known = problems;
    if (problems.length > 0 && problems.join() !== last.join()) this.#logger.warn(`Not ready: ${problems.join('; ')}`);
    if (problems.length === 0 && last.length > 0) this.#logger.info('Ready again');
  }
}

async function problemOf({ at, problem }: ReadyCheck): Promise<readonly string[]> {
  const text = await problem();
  return text === undefined ? [] : [`${at}: ${text}`];
}
