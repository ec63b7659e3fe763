import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Caller } from '../../core/quota.js';
import type { BreakOff } from '../answers/break-off.js';

/** One HTTP request to a remote server, and who sent it. */
export interface HttpRequest extends Caller {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly breakOff: BreakOff;
  /** Gets errors that neither the client nor the target caused. */
  readonly next: (error: unknown) => void;
}
