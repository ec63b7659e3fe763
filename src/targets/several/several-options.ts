import type { Logger } from '../../core/logger.js';
import type { ConnectionSource } from '../connection.js';
import type { WaitLimits } from '../waiters.js';
import type { ToolPins } from './pins.js';

export const PREFIX_MODES = ['conditional', 'always', 'never'] as const;
export const FAILURE_MODES = ['failClosed', 'failOpen'] as const;

/** When the names of tools and prompts begin with the name of their target. */
export type PrefixMode = (typeof PREFIX_MODES)[number];

/** What happens to lists and openings without one of the targets: they fail, or go on. */
export type FailureMode = (typeof FAILURE_MODES)[number];

/** How several targets become one. */
export interface SeveralOptions extends WaitLimits {
  /** The targets by name, in the order of their entries in lists. */
  readonly targets: ReadonlyMap<string, ConnectionSource>;
  readonly prefixMode: PrefixMode;
  readonly failureMode: FailureMode;
  /** The `serverInfo` that clients see. */
  readonly serverInfo: Readonly<Record<string, unknown>>;
  /** What remembers the definitions of tools; undefined if they may change. */
  readonly pins: ToolPins | undefined;
  readonly startTimeoutMs: number;
  readonly logger: Logger;
}
