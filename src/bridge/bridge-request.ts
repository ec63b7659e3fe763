import type { Principal } from '../core/principal.js';
import type { Caller } from '../core/quota.js';
import { forwardedRequestId } from '../core/request-id.js';
import { hasHungUp } from '../http/hang-up.js';
import type { MetaRule } from '../messages/meta-edit.js';
import { namesStatelessRevision } from '../messages/revision.js';
import type { Sender } from '../targets/connection.js';
import type { ObservedCalls } from '../telemetry/observe-calls.js';
import { endOfRefusal } from '../telemetry/outcomes.js';
import type { OpenAnswer } from './answers/open-answer.js';

/** One HTTP request and who sent it. */
export interface BridgeRequest extends Caller, OpenAnswer {
  readonly principal: Principal;
  /** The time of its arrival, on the clock of `performance.now()`. */
  readonly since: number;
  /** The changes to the `_meta` of its requests. Undefined if it passes unchanged. */
  readonly metaRule?: MetaRule | undefined;
}

/** A request whose calls are not read yet. */
export type ArrivedRequest = BridgeRequest & { calls: ObservedCalls | undefined };

/** Ends the calls of a request that were not sent yet if the client has hung up. Returns true if it has. */
export function cancelIfHungUp({ res, calls }: BridgeRequest): boolean {
  if (!hasHungUp(res)) return false;
  calls?.endAll(endOfRefusal('cancelled'));
  return true;
}

/** Returns the sender of messages that are not requests, and have no headers of their own. */
export function senderOf({ auth, req }: BridgeRequest): Sender {
  const revision = namesStatelessRevision(req) ? req.headers['mcp-protocol-version']?.toString() : undefined;
  return { auth, revision, requestId: forwardedRequestId(req) };
}
