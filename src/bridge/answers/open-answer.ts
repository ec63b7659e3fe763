import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AuthInfo } from '../../core/auth-info.js';
import type { ObservedCalls } from '../../telemetry/observe-calls.js';
import { endOfRefusal } from '../../telemetry/outcomes.js';
import type { BreakOff } from './break-off.js';

/**
 * An HTTP request whose answer is written after its handler has returned: when the MCP server sends a message, or by a timer. Functions of
 * the application that replace methods of the response (a compression, a logger) run then, and nothing else catches what they throw.
 */
export interface OpenAnswer {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly auth: AuthInfo | undefined;
  /** The records of its calls; undefined if nothing listens for them. */
  readonly calls?: ObservedCalls | undefined;
  readonly breakOff: BreakOff;
}

/**
 * Ends an answer that cannot be written, and the records of its calls. Returns false, and only logs, if the answer is complete: a function
 * that throws after the end, such as a logger, takes nothing from the client.
 */
export function failAnswer({ res, calls, breakOff }: OpenAnswer, thrown: unknown): boolean {
  const isLost = !res.writableEnded;
  if (isLost) calls?.endAll(endOfRefusal('answer_failed'));
  breakOff(res, thrown);
  return isLost;
}

/** Calls `write`, and ends the answer if a function of the application throws. Returns false if the answer is lost. */
export function tryWrite(answer: OpenAnswer, write: () => void): boolean {
  try {
    write();
    return true;
  } catch (error) {
    return !failAnswer(answer, error);
  }
}
