import type { OutageCode, RefusalCode } from '../core/errors.js';
import type { McpAuthMode } from './modes.js';

/**
 * The outcome of one request, for logs, metrics and debugging. Never contains the token. For a refused token, `issuer`,
 * `subject`, `clientId` and `kid` are unverified claims, and may be false.
 */
export interface AuthDecision {
  readonly mode: McpAuthMode;
  /**
   * `passed`: accepted with its token. `anonymous`: passed without a token. `refused`: answered with 400, 401 or 403.
   * `would_refuse`: passed as anonymous in permissive mode; strict mode refuses it, for the reason in `code`. `failed`: the
   * token could not be checked, which is not the client's fault.
   */
  readonly outcome: 'passed' | 'anonymous' | 'refused' | 'would_refuse' | 'failed';
  readonly code?: RefusalCode | OutageCode | undefined;
  readonly issuer?: string | undefined;
  readonly subject?: string | undefined;
  readonly clientId?: string | undefined;
  readonly kid?: string | undefined;
  readonly method: string;
  /** The path of the request, without the query. */
  readonly path: string;
  readonly durationMs: number;
  /** True if the token was remembered, so that its signature was not verified again. */
  readonly cached: boolean;
}
