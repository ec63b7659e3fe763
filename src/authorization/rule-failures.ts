import type { Logger } from '../core/logger.js';
import { createRareLines } from '../core/rare-line.js';
import type { FailureReport } from './authorization-rules.js';

/**
 * Logs each rule that fails, once a minute for each reason. The line has no values of the request.
 *
 * @param who The function with the rules; left out if their places say more.
 */
export function createFailureReport(logger: Logger, who?: string): FailureReport {
  const prefix = who === undefined ? '' : `${who}: `;
  const warn = createRareLines<string>((line) => logger.warn(line));
  return (rule, code) => {
    const effect = rule.kind === 'allow' ? 'does not allow' : 'denies';
    const kind = `${rule.at} ${code}`;
    warn(kind, `${prefix}${rule.at} failed (${code}) and therefore ${effect}: ${rule.expression.text}`);
  };
}
