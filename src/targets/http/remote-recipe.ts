import type { AuthInfo } from '../../core/auth-info.js';
import type { Logger } from '../../core/logger.js';
import type { WaitLimits } from '../waiters.js';
import type { HeaderRecord } from './exchange.js';
import type { UnansweredKind } from './failure-log.js';
import type { HttpTarget } from './http-target.js';
import type { ConnectionHeaders } from './message-headers.js';
import type { AnsweredRequest } from './response-fault.js';

/** The settings that all connections to one remote server share. */
export interface RemoteRecipe extends WaitLimits {
  /** The backend's function, and the name of the target, in the log. */
  readonly who: string;
  /** The name of the target in the records of calls. */
  readonly name: string | undefined;
  readonly url: URL;
  readonly target: HttpTarget;
  readonly maxMessageBytes: number;
  /** Milliseconds until the server must begin to answer a POST; 0: no limit. */
  readonly responseMs: number;
  readonly logger: Logger;
  /** Builds the headers that tell the server who is calling. Rejects with a `BridgeError`. */
  headersFor(auth: AuthInfo | undefined): HeaderRecord | Promise<HeaderRecord>;
  /** Describes a request for the log, if the server refuses it. */
  describe(headers: ConnectionHeaders): AnsweredRequest;
  /** True if requests carry credentials of this server. */
  readonly sendsCredentials: boolean;
  /** Logs a failure of the server, each reason at most once a minute. */
  logFailure(error: unknown, detail?: string): void;
  /** Logs that the server no longer knows a session, at most once a minute. */
  logLostSession(): void;
  /** Logs that the server refused a message that has no answer, each kind at most once a minute. */
  logRefusal(kind: UnansweredKind, status: number): void;
}
