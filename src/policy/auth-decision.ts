import type { OutageCode, RefusalCode } from '../core/errors.js';
import type { McpAuthMode } from './modes.js';

/**
 * What became of one request, for logs, metrics and debuggers. Never holds the token. What it says of a refused token
 * (`issuer`, `subject`, `clientId`, `kid`) is what the token claims of itself, and may be a lie.
 */
export interface AuthDecision {
  readonly mode: McpAuthMode;
  /**
   * `passed`: with its token. `anonymous`: without one. `refused`: answered here. `would_refuse`: passed, but strict would have
   * refused it, for the reason in `code`; as anonymous, unless the reason is its session. `failed`: neither can be said, through no fault of the client's.
   */
  readonly outcome: 'passed' | 'anonymous' | 'refused' | 'would_refuse' | 'failed';
  /** `unknown_session`: a good request, but for a session that is not its caller's. */
  readonly code?: RefusalCode | OutageCode | 'unknown_session' | undefined;
  readonly issuer?: string | undefined;
  readonly subject?: string | undefined;
  readonly clientId?: string | undefined;
  readonly kid?: string | undefined;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly durationMs: number;
  /** The token had been verified before. */
  readonly cached: boolean;
}
