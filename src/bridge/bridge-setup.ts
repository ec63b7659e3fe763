import type { Advice } from '../core/advice.js';
import type { ConnectionSource } from '../targets/connection.js';
import type { ResolvedBridge } from './bridge-options.js';

/** The current numbers of a bridge. */
export interface BridgeStats {
  readonly sessions: number;
  readonly connections: number;
  readonly pending: number;
  readonly restarts: number;
}

/** The parts of a bridge that its backend chooses. */
export interface BridgeSetup {
  /** The backend's function, in the log. */
  readonly who: string;
  readonly source: ConnectionSource;
  readonly options: ResolvedBridge;
  readonly advice: Advice;
  /** The options that send credentials of this server to an MCP server. */
  readonly credentials?: readonly string[];
  /** Called every second, and at the end. */
  onStats(stats: BridgeStats): void;
}
