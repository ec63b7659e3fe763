import type { Logger } from '../core/logger.js';
import { createRareLine } from '../core/rare-line.js';
import type { AuthorizationRule, FailureReport } from './rule-set.js';

/** Logs each rule that fails, once a minute. The line has no values of the request. */
export function createFailureReport(logger: Logger): FailureReport {
  const lines = new Map<AuthorizationRule, (line: string) => void>();
  return (rule, code) => {
    let warn = lines.get(rule);
    if (warn === undefined) {
      warn = createRareLine((line) => logger.warn(line));
      lines.set(rule, warn);
    }
    const effect = rule.kind === 'allow' ? 'does not allow' : 'denies';
    warn(`mcpAuthorization(): ${rule.at} failed (${code}) and therefore ${effect}: ${rule.expression.text}`);
  };
}
