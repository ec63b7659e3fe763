import type { Logger } from '../../core/logger.js';
import type { ConnectionSource } from '../connection.js';
import type { WaitLimits } from '../waiters.js';
import type { ToolPins } from './pins.js';

export const PREFIX_MODES = ['conditional', 'always', 'never'] as const;
export const FAILURE_MODES = ['failClosed', 'failOpen'] as const;

/** Says when the names of tools and prompts begin with the name of their target. */
export type PrefixMode = (typeof PREFIX_MODES)[number];

/** Says if lists and openings fail without one of the targets, or go on. */
export type FailureMode = (typeof FAILURE_MODES)[number];

/** The settings of several targets behind one backend. */
export interface SeveralOptions extends WaitLimits {
  /** The targets by name, in the order of their entries in lists. */
  readonly targets: ReadonlyMap<string, ConnectionSource>;
  readonly prefixMode: PrefixMode;
  readonly failureMode: FailureMode;
  /** The `serverInfo` that clients see. */
  readonly serverInfo: Readonly<Record<string, unknown>>;
  /** Remembers the definitions of tools; undefined if they may change. */
  readonly pins: ToolPins | undefined;
  readonly startTimeoutMs: number;
  readonly logger: Logger;
}
