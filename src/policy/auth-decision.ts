import type { OutageCode, RefusalCode } from '../core/errors.js';
import type { McpAuthMode } from './modes.js';

/**
 * The outcome of one request, for logs, metrics and debugging. Never contains the token. For a refused token, `issuer`,
 * `subject`, `clientId` and `kid` are unverified claims, and may be false.
 */
export interface AuthDecision {
  /** The mode of the policy. */
  readonly mode: McpAuthMode;
  /**
   * `passed`: accepted with its token. `anonymous`: passed without a token. `refused`: answered with 400, 401 or 403.
   * `would_refuse`: passed in permissive mode; strict mode refuses it, for the reason in `code`. It passed as anonymous, except with `unknown_session`. `failed`: the
   * token could not be checked, which is not the client's fault.
   */
  readonly outcome: 'passed' | 'anonymous' | 'refused' | 'would_refuse' | 'failed';
  /**
   * The reason why a request was refused, would be refused, or could not be decided; each code has a heading in docs/errors.md.
   * `unknown_session`: the token is good, but the session belongs to another caller.
   */
  readonly code?: RefusalCode | OutageCode | 'unknown_session' | undefined;
  /** The token's `iss`. */
  readonly issuer?: string | undefined;
  /** The user, from the claim that the issuer's `subjectClaim` names. */
  readonly subject?: string | undefined;
  /** The client, as `AuthInfo.clientId` has it. */
  readonly clientId?: string | undefined;
  /** The id of the key that the token names. */
  readonly kid?: string | undefined;
  /** The HTTP method. */
  readonly method: string;
  /** The path of the request, without the query. */
  readonly path: string;
  /**
   * The id of the request: in the command, that in `x-request-id` of the answer; in an application, `req.id`, if an earlier middleware
   * set it to a number, or to 1 to 128 letters, digits and `.`, `_`, `~`, `-`.
   */
  readonly requestId?: string | undefined;
  /** Milliseconds from the arrival of the request to the decision. */
  readonly durationMs: number;
  /** True if the token was remembered, so that its signature was not verified again. */
  readonly cached: boolean;
}
