import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Caller } from '../../core/quota.js';

/** One HTTP request to a remote server, and who sent it. */
export interface HttpRequest extends Caller {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** Gets a failure that is no fault of the client or of the target. */
  readonly next: (error: unknown) => void;
}
