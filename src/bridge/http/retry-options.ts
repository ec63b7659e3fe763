import { MAX_TIMER_MS } from '../../core/max-timer.js';
import type { OptionChecks } from '../../options/checks.js';
import { boundedNumber, group, type OptionTable, wholeNumber } from '../../options/option-table.js';

/**
 * The rules for sending a request to a remote MCP server again. It is sent again if it could not be sent, or if it is safe to repeat and the
 * status of the answer is one of `codes`. Safe to repeat are GET, DELETE, `initialize`, `ping`, `server/discover` and lists. A call that the
 * server may have received is never sent again, and neither is a request with a body of more than 64 KiB.
 */
export interface RetryOptions {
  /** The maximum number of attempts, including the first one. @default 1 */
  readonly attempts?: number | undefined;
  /** Milliseconds between two attempts. @default 0 */
  readonly backoffMs?: number | undefined;
  /** The statuses, from 400 to 599, after which a request that is safe to repeat is sent again. @default [] */
  readonly codes?: readonly number[] | undefined;
}

const FIX = 'Write { attempts: 3, backoffMs: 500, codes: [502, 503] }.';

export const RETRY_TABLE = {
  attempts: wholeNumber(1, 1, FIX),
  backoffMs: boundedNumber(0, { min: 0, max: MAX_TIMER_MS }, FIX),
  codes: { default: [], read: requireCodes },
} satisfies OptionTable<RetryOptions>;

export const resolveRetry = group(RETRY_TABLE, FIX);

/** The statuses of failures. */
export const MIN_RETRY_CODE = 400;
export const MAX_RETRY_CODE = 599;

/** True for the status of an answer after which a request may be sent again. */
export function isRetryCode(code: unknown): code is number {
  return Number.isInteger(code) && (code as number) >= MIN_RETRY_CODE && (code as number) <= MAX_RETRY_CODE;
}

function requireCodes(checks: OptionChecks, value: unknown, option: string): readonly number[] {
  const codes = Array.isArray(value) ? value : checks.refuse(option, 'a list of statuses', value, FIX);
  const wrong = codes.findIndex((code) => !isRetryCode(code));
  return wrong === -1
    ? codes
    : checks.refuse(`${option}[${wrong}]`, `a status from ${MIN_RETRY_CODE} to ${MAX_RETRY_CODE}`, codes[wrong], FIX);
}
