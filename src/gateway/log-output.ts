import { fieldsOfRequest, type LogFields } from '../core/log-fields.js';
import { createSafeLogger, registerFields } from '../core/logger.js';
import type { Logger } from '../index.js';
import { LOG_DEFAULTS, LOG_LEVELS, type LogSettings } from './log-settings.js';

type Level = keyof Logger;

/** Receives a finished line: that of a program's standard output, or of its standard error. */
export interface LogStreams {
  out(line: string): void;
  err(line: string): void;
}

export interface LogOutput {
  readonly logger: Logger;
  /** Writes the message with which the command fails. */
  fail(message: string): void;
  /** Writes that a check has succeeded, at every level. */
  succeed(message: string): void;
}

/**
 * Creates the log of the command. Lines of text are as agentgateway writes them: `INFO express-mcp-auth: Listening on 0.0.0.0:3000`.
 * JSON is one object a line. Warnings and errors go to the standard error.
 */
export function createLogOutput(settings: LogSettings, streams: LogStreams): LogOutput {
  const { format, level } = { ...LOG_DEFAULTS, ...settings };
  const write = format === 'json' ? writeJson : writeText;
  const first = LOG_LEVELS.indexOf(level);
  const lineOf = (at: Level, fields: LogFields) => (line: string) => {
    if (LOG_LEVELS.indexOf(at) < first) return;
    streams[at === 'warn' || at === 'error' ? 'err' : 'out'](write(at, line, fields));
  };
  const loggerWith = (fields: LogFields): Logger => ({
    debug: lineOf('debug', fields),
    info: lineOf('info', fields),
    warn: lineOf('warn', fields),
    error: lineOf('error', fields),
  });
  const plain = loggerWith({});
  const withMore = (known: LogFields, logger: Logger): Logger =>
    registerFields(logger, (more) => withMore({ ...known, ...more }, loggerWith({ ...known, ...more })));
  const logger = createSafeLogger(format === 'json' ? withMore({}, plain) : plain);
  const fail = (message: string) =>
    format === 'json' ? logger.error(message) : streams.err(`express-mcp-auth: ${message}`);
  const succeed = (message: string) => streams.out(format === 'json' ? writeJson('info', message, {}) : message);
  return { logger, fail, succeed };
}

function writeText(level: Level, line: string): string {
  return `${level.toUpperCase()} express-mcp-auth: ${line}`;
}

function writeJson(level: Level, message: string, fields: LogFields): string {
  return JSON.stringify({ time: new Date().toISOString(), level, message, ...fields, ...fieldsOfRequest() });
}
