import type { Logger } from '../core/logger.js';
import { requireArgument } from '../options/argument.js';
import { createChecks } from '../options/checks.js';
import { resolveLogger } from '../options/logger-option.js';
import { type OptionTable, type ResolvedOptions, readOptions, wholeNumber } from '../options/option-table.js';
import type { CallOptions } from './call-record.js';
import { CALL_ROWS } from './call-rows.js';

/** The options of `mcpCalls()`. */
export interface McpCallsOptions extends CallOptions {
  /** Bytes. A longer body is answered 413. @default 4194304 */
  readonly maxBodyBytes?: number | undefined;
  /** Receives a line, at most one a minute for each reason, when a body cannot be read. @default no logging */
  readonly logger?: Logger | undefined;
}

export const CALLS_TABLE = {
  ...CALL_ROWS,
  maxBodyBytes: wholeNumber(4_194_304, 1),
  logger: { read: resolveLogger },
} satisfies OptionTable<McpCallsOptions>;

/** @throws {ConfigError} */
export function resolveCallsOptions(options: unknown): ResolvedOptions<typeof CALLS_TABLE> {
  const checks = createChecks('mcpCalls()');
  const given = requireArgument(checks, options, { example: '{ onCall: (call) => console.log(call) }' });
  return readOptions(checks, CALLS_TABLE, given);
}
