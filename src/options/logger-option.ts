import { createSafeLogger, type Logger, SILENT } from '../core/logger.js';
import type { OptionChecks } from './checks.js';

const METHODS = ['debug', 'info', 'warn', 'error'] as const satisfies readonly (keyof Logger)[];

/** Checks the option `logger`, and returns a logger that cannot fail. Returns {@link SILENT} if none is given. */
export function resolveLogger(checks: OptionChecks, value: unknown): Logger {
  if (value === undefined) return SILENT;
  const canHaveMethods = (typeof value === 'object' && value !== null) || typeof value === 'function';
  if (canHaveMethods && METHODS.every((method) => typeof Reflect.get(value, method) === 'function')) {
    return createSafeLogger(value as Logger);
  }
  const expected = 'an object with debug, info, warn and error';
  return checks.refuseUnquoted('logger', expected, 'Give console or a pino logger.');
}
