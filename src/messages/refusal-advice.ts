import type { Logger } from '../core/logger.js';
import type { BridgeErrorCode } from './bridge-error.js';
import type { MESSAGE_REFUSALS } from './message-refusal.js';

/** The reasons why a bridge, or a function that reads messages, answers a request itself. */
export type RefusalReason = BridgeErrorCode | keyof typeof MESSAGE_REFUSALS;

interface RefusalAdvice {
  readonly level: keyof Logger;
  /** The advice for an operator. */
  readonly fix: string;
}

const info = (fix: string): RefusalAdvice => ({ level: 'info', fix });
const warn = (fix: string): RefusalAdvice => ({ level: 'warn', fix });
/** For requests that every client makes before it knows the server. */
const usual = (fix: string): RefusalAdvice => ({ level: 'debug', fix });

const OTHER_REVISION = 'clients go on with a revision that the server has';

/** The advice on refusals. The others are explained in docs/errors.md alone. */
const ADVICE: Readonly<Partial<Record<RefusalReason, RefusalAdvice>>> = {
  too_many_pending: warn(
    'the MCP server answers slowly, or a client sends too much at once. If clients need more, raise maxPendingRequests',
  ),
  too_many_sessions: warn('raise maxSessions if this machine can run more, or lower idleTimeoutSeconds'),
  too_many_sessions_of_user: warn(
    'raise maxSessionsPerUser, or find out why the clients of this user do not end their sessions',
  ),
  too_many_sessions_of_anonymous: warn('raise maxAnonymousSessions, or let callers log in'),
  too_many_bodies: warn(
    'requests arrive more slowly than usual, or many callers send long ones. They send them again later',
  ),
  request_timed_out: warn('look at the log of the MCP server, or raise requestTimeoutSeconds if it needs longer'),
  body_too_large: info('if clients need longer messages, raise maxBodyBytes'),
  body_too_slow: info('the network of a client is slow, or a proxy in front holds bodies back'),
  unsupported_media_type: info('a client, or a proxy in front, does not send application/json without compression'),
  unknown_session: info(
    'it has ended, belongs to another caller, or was opened at another process. Clients open a new one. ' +
      'If this happens all the time, send the requests of a session to one process',
  ),
  anonymous_refused: info('let callers log in, with mcpAuth(), or change anonymousRequests'),
  closing: info('clients try again later'),
  method_not_allowed: usual('clients go on without it'),
  legacy_server: usual(OTHER_REVISION),
  unsupported_protocol_version: usual(OTHER_REVISION),
};

/** Returns what to say about a refusal. */
export function adviceOn(reason: RefusalReason, status: number): RefusalAdvice {
  return ADVICE[reason] ?? (status < 500 ? info : warn)(`see ${reason} in docs/errors.md`);
}

/** Other lines say more about these refusals, or a client caused them on purpose. */
const WITH_OWN_LINES = [
  /^(?:target|child|foreign|too_many_sessions)(?:_|$)/,
  /^(?:start_timed_out|caller_headers_failed|answer_failed|body_already_read|session_ended|cancelled|limit_exceeded)$/,
];

/** True if refusals for this reason are not logged once a minute, like the others. */
export function hasOwnLine(reason: RefusalReason): boolean {
  return WITH_OWN_LINES.some((pattern) => pattern.test(reason));
}
