import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Principal } from '../core/principal.js';
import type { Caller } from '../core/quota.js';
import { forwardedRequestId } from '../core/request-id.js';
import type { MetaRule } from '../messages/meta-edit.js';
import type { Sender } from '../targets/connection.js';

/** One HTTP request and who sent it. */
export interface BridgeRequest extends Caller {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly principal: Principal;
  /** The time of its arrival, on the clock of `performance.now()`. */
  readonly since: number;
  /** The changes to the `_meta` of its requests. Undefined if it passes unchanged. */
  readonly metaRule?: MetaRule | undefined;
}

/** Returns the sender of messages that are not requests, and have no headers of their own. */
export function senderOf({ auth, req }: BridgeRequest): Sender {
  return { auth, requestId: forwardedRequestId(req) };
}
