import type { Logger } from '../../core/logger.js';
import { createRareLine } from '../../core/rare-line.js';
import type { Outcome } from './request-ids.js';
import { describeFault } from './target-faults.js';

/** Logs which targets do not answer: a line a minute for each. */
export class MissingTargets {
  readonly #logger: Logger;
  readonly #lines = new Map<string, (line: string) => void>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** `about` is what the target was asked for, for example `tools/list`. */
  log(target: string, about: string, outcome: Outcome): void {
    const warn = this.#lines.get(target) ?? createRareLine((line) => this.#logger.warn(line));
    this.#lines.set(target, warn);
    warn(`target "${target}" gives no answer to ${about}: ${describeFault(outcome)}`);
  }
}
