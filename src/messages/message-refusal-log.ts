import { type Advice, withWrittenNames } from '../core/advice.js';
import { type Logger, withFields } from '../core/logger.js';
import { createCountedLines } from '../core/rare-line.js';
import { BodyError, reportBody } from '../http/body.js';
import { BRIDGE_ERRORS, BridgeError } from './bridge-error.js';
import { BODY_REASONS } from './message-errors.js';
import { MESSAGE_REFUSALS, MessageError } from './message-refusal.js';
import { adviceOn, hasOwnLine, type RefusalReason } from './refusal-advice.js';

/** Logs a refused request. Ignores errors of other kinds. */
export type MessageRefusalLog = (error: unknown) => void;

interface RefusalLogRules {
  /** The reasons about which the function logs a line of its own. */
  readonly except?: readonly RefusalReason[];
  /** The names of options in the user's form. */
  readonly advice?: Pick<Advice, 'names'>;
}

const IN_CODE: Pick<Advice, 'names'> = { names: new Map() };

/**
 * Creates the log of requests that are refused, or answered in place of the MCP server: one line a minute for each reason, with what an
 * operator can do. A line has nothing of the request.
 *
 * @param who The function that refuses, for example `mcpScopes()`.
 */
export function createMessageRefusalLog(
  who: string,
  logger: Logger,
  { except = [], advice = IN_CODE }: RefusalLogRules = {},
): MessageRefusalLog {
  const count = createCountedLines<RefusalReason>();
  return (error) => {
    reportBody(error, who, logger.error);
    const reason = reasonOf(error);
    if (reason === undefined || hasOwnLine(reason) || except.includes(reason)) return;
    const { status, message } = rowOf(reason);
    const { level, fix } = adviceOn(reason, status);
    // The messages of other errors may repeat what the client sent.
    const what = error instanceof BodyError ? error.message : message;
    count(reason, (more) => {
      const text = withWrittenNames(`${what}: ${fix}`, advice);
      withFields(logger, { code: reason })[level](`${who}: answered ${status} (${reason}): ${text}${more}`);
    });
  };
}

function reasonOf(error: unknown): RefusalReason | undefined {
  if (error instanceof BodyError) return BODY_REASONS[error.status];
  return error instanceof BridgeError || error instanceof MessageError ? error.reason : undefined;
}

function rowOf(reason: RefusalReason): { readonly status: number; readonly message: string } {
  return reason in BRIDGE_ERRORS
    ? BRIDGE_ERRORS[reason as keyof typeof BRIDGE_ERRORS]
    : MESSAGE_REFUSALS[reason as keyof typeof MESSAGE_REFUSALS];
}
