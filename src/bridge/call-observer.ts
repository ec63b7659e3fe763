import type { ClientMessage } from '../messages/json-rpc.js';
import type { CallOptions } from '../telemetry/call-record.js';
import { callStartsOf } from '../telemetry/call-starts.js';
import { type ObservedCalls, observeLastCalls } from '../telemetry/observe-calls.js';
import type { BridgeRequest } from './bridge-request.js';

/** Begins the records of the calls in a request. Undefined if nothing listens for them. */
export type CallObserver = (request: BridgeRequest, messages: readonly ClientMessage[]) => ObservedCalls | undefined;

/** Creates the observer of a bridge. The bridge itself ends each call, so the answer on the wire is not read. */
export function createCallObserver({ onCall, recordContent }: CallOptions): CallObserver {
  const options = { onCall, recordContent };
  return ({ req, since }, messages) => {
    const calls = observeLastCalls(req, options, () => callStartsOf(messages), since);
    if (calls === undefined) return undefined;
    calls.isReported = true;
    calls.closeListeners();
    return calls;
  };
}
