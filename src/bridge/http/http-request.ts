import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Caller } from '../../core/quota.js';
import { BridgeError } from '../../messages/bridge-error.js';
import type { BreakOff } from '../answers/break-off.js';

/** One HTTP request to a remote server, and who sent it. */
export interface HttpRequest extends Caller {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly breakOff: BreakOff;
  /** Gets errors that neither the client nor the target caused. */
  readonly next: (error: unknown) => void;
}

/** The methods of MCP (2025-11-25, Streamable HTTP). */
const RELAYED_METHODS = ['GET', 'POST', 'DELETE'] as const;

export type RelayedMethod = (typeof RELAYED_METHODS)[number];

/** @throws {BridgeError} If the method is not one of MCP. */
export function methodOf(req: IncomingMessage, res: ServerResponse): RelayedMethod {
  const method = RELAYED_METHODS.find((each) => each === req.method);
  if (method !== undefined) return method;
  res.setHeader('allow', RELAYED_METHODS.join(', '));
  throw new BridgeError('method_not_allowed');
}
