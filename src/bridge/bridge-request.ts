import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AuthInfo } from '../core/auth-info.js';
import type { Principal } from '../core/principal.js';

/** One HTTP request and who sent it. */
export interface BridgeRequest {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly auth: AuthInfo | undefined;
  readonly principal: Principal;
  /** When it came, on the clock of `performance.now()`. */
  readonly since: number;
}
