import type { OutageCode, RefusalCode } from '../core/errors.js';
import type { McpAuthMode } from './modes.js';

/**
 * What became of one request, for logs, metrics and debuggers. Never holds the token. What it says of a refused token
 * (`issuer`, `subject`, `clientId`, `kid`) is what the token claims of itself, and may be a lie.
 */
export interface AuthDecision {
  /** The mode of the policy. */
  readonly mode: McpAuthMode;
  /**
   * `passed`: with its token. `anonymous`: without one. `refused`: answered here. `would_refuse`: passed as anonymous, but strict would
   * have refused it, for the reason in `code`. `failed`: neither can be said, through no fault of the client's.
   */
  readonly outcome: 'passed' | 'anonymous' | 'refused' | 'would_refuse' | 'failed';
  /** Why a request was refused, or would be, or could not be decided; each code has a heading in docs/errors.md. */
  readonly code?: RefusalCode | OutageCode | undefined;
  /** The token's `iss`. */
  readonly issuer?: string | undefined;
  /** The user, as the claim `subjectClaim` of the issuer names it. */
  readonly subject?: string | undefined;
  /** The client, as `AuthInfo.clientId` has it. */
  readonly clientId?: string | undefined;
  /** The id of the key that the token names. */
  readonly kid?: string | undefined;
  /** The HTTP method. */
  readonly method: string;
  /** The path of the request, without the query. */
  readonly path: string;
  /** Milliseconds from the arrival of the request to the decision. */
  readonly durationMs: number;
  /** The token had been verified before. */
  readonly cached: boolean;
}
