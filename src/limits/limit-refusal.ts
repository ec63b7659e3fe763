import type { ServerResponse } from 'node:http';
import { type Logger, withFields } from '../core/logger.js';
import { createCountedLines } from '../core/rare-line.js';
import { BridgeError } from '../messages/bridge-error.js';
import type { ReceivedBody } from '../messages/calls-in-body.js';
import { replyBridgeError } from '../messages/reply-error.js';
import { observedCalls } from '../telemetry/observe-calls.js';
import { endOfRefusal } from '../telemetry/outcomes.js';
import { isForAllCallers } from './all-callers.js';
import type { ResolvedLimit } from './limits-options.js';

/** The reason why calls are refused. */
export interface LimitRefusal {
  /** Milliseconds until the calls can be made; infinite if they never can. */
  readonly waitMs: number;
  /** The places in the list of the limits that refuse them. A store does not say which these are: then all that count them. */
  readonly limits: readonly number[];
}

/**
 * Creates the function that answers 429. It logs one line a minute for each limit.
 *
 * @param option The list of limits, as the user calls it.
 */
export function createLimitRefusal(
  limits: readonly ResolvedLimit[],
  option: string,
  logger: Logger,
): (res: ServerResponse, message: ReceivedBody, refusal: LimitRefusal) => void {
  const count = createCountedLines<string>();
  const name = (place: number) => `${option}[${place}]${describeLimit(limits[place])}`;
  return (res, message, { waitMs, limits: refusing }) => {
    const isNever = !Number.isFinite(waitMs);
    observedCalls(res.req)?.endAll(endOfRefusal('limit_exceeded'));
    const error = new BridgeError('limit_exceeded', {
      id: idOf(message),
      ...(isNever && { detail: 'the batch has more calls than a limit lets through at once' }),
      retryAfterSeconds: isNever ? null : Math.ceil(waitMs / 1_000),
    });
    const names = [...new Set(refusing)].map(name);
    const what = isNever ? 'a batch has more calls than it lets through at once' : 'its tokens are used up';
    count(names.join(), (more) => {
      const line = `mcpLimits(): answered 429 (limit_exceeded): ${names.join(' or ')}: ${what}: ${FIX}${more}`;
      withFields(logger, { code: 'limit_exceeded' }).warn(line);
    });
    replyBridgeError(res, error);
  };
}

const FIX = 'callers wait as Retry-After says. If they need more, raise its numbers';

function describeLimit(limit: ResolvedLimit | undefined): string {
  if (limit === undefined) return '';
  const { per, capacity, refill, everyMs } = limit;
  return ` (${describePer(per)}: ${capacity} at once, ${refill} back every ${everyMs / 1_000} s)`;
}

function describePer(per: ResolvedLimit['per']): string {
  if (typeof per !== 'function') return `per ${per}`;
  return isForAllCallers(per) ? 'for all callers' : 'per function';
}

/** The id of a single call as JSON; undefined if it has none, or JSON parsing may have rounded it. */
function idOf({ isBatch, calls: [call] }: ReceivedBody): string | undefined {
  const id = isBatch ? undefined : call?.id;
  return typeof id === 'string' || Number.isSafeInteger(id) ? JSON.stringify(id) : undefined;
}
