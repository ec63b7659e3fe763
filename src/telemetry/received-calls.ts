import type { IncomingMessage, ServerResponse } from 'node:http';
import { isRecord } from '../http/json-object.js';
import type { ReceivedBody } from '../messages/calls-in-body.js';
import { keyOfId } from '../messages/json-rpc.js';
import { watchAnswer } from './answer-watcher.js';
import type { CallOptions } from './call-record.js';
import { type CallStart, callTracer } from './call-tracer.js';
import { areCallsObserved, type ObservedCalls, observeCalls, observedCalls } from './observe-calls.js';
import { noteCancellation } from './open-calls.js';

const NO_CALLS: ReceivedBody['calls'] = [];

/**
 * Records the calls that a middleware has read from a request. The first middleware that does so also reads the answer. Returns undefined if
 * nothing listens, or if the request has only notifications.
 *
 * @param since The {@link arrivalTime}, taken when the request arrived.
 */
export function observeReceived(
  req: IncomingMessage,
  res: ServerResponse,
  options: CallOptions,
  body: ReceivedBody,
  since: number | undefined,
): ObservedCalls | undefined {
  noteCancellation(req, res, body.calls);
  if (body.calls.every(({ id }) => id === undefined)) return undefined;
  const isFirst = observedCalls(req) === undefined;
  const calls = observeCalls(req, options, () => startsOf(req, body), since);
  if (calls !== undefined && isFirst) watchAnswer(req, res, calls);
  return calls;
}

/** Notes a request without a message: one that deletes a session ends its calls. */
export function observeWithoutMessage(req: IncomingMessage, res: ServerResponse): void {
  noteCancellation(req, res, NO_CALLS);
}

/** Calls `next` while the span of the request's only call is active, so that spans which the MCP server makes are its children. */
export function nextInSpan(req: IncomingMessage, next: () => void): void {
  // Only a tracer makes spans, and the look-up costs more than this check.
  if (callTracer.current === undefined) {
    next();
    return;
  }
  const calls = observedCalls(req)?.values() ?? [];
  const span = calls.length === 1 ? calls[0]?.span : undefined;
  if (span === undefined) next();
  else span.run(next);
}

/** Returns the time on the clock of `performance.now()`; undefined if nothing listens for calls. */
export function arrivalTime(options: CallOptions): number | undefined {
  return areCallsObserved(options) ? performance.now() : undefined;
}

function startsOf(req: IncomingMessage & { readonly body?: unknown }, { isBatch, calls }: ReceivedBody): CallStart[] {
  const single = isBatch ? undefined : declaredLength(req);
  // A batch may also have responses of the client, which are not calls.
  const messages = single === undefined ? [req.body].flat().filter(isCall) : [];
  const starts: CallStart[] = [];
  for (const [i, { id, method, target, params }] of calls.entries()) {
    const key = keyOfId(id);
    if (key !== undefined) starts.push({ key, method, name: target, params, bytes: single ?? lengthOf(messages[i]) });
  }
  return starts;
}

function isCall(message: unknown): boolean {
  return isRecord(message) && message.method !== undefined;
}

/** Returns the length of an uncompressed body, if its headers say it. */
function declaredLength({ headers }: IncomingMessage): number | undefined {
  const { 'content-length': length, 'content-encoding': coding = 'identity' } = headers;
  return length === undefined || coding !== 'identity' ? undefined : Number(length);
}

function lengthOf(message: unknown): number {
  try {
    return Buffer.byteLength(JSON.stringify(message));
  } catch {
    // Another middleware replaced the body with a value that has no JSON form.
    return 0;
  }
}
