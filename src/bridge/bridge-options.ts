import type { AuthInfo } from '../core/auth-info.js';
import type { Logger } from '../core/logger.js';
import { isPromiseLike, settleInTime } from '../core/settle-in-time.js';
import type { RequestMeta } from '../messages/meta-edit.js';
import type { OptionChecks } from '../options/checks.js';
import { requirePlainObject } from '../options/environment.js';
import { flag, type OptionTable, optional, type ResolvedOptions, word } from '../options/option-table.js';
import { anonymousShare, BACKEND_ROWS, type BackendOptions, limit, timerSeconds } from './backend-options.js';
import { readReplica } from './replica.js';

const ANONYMOUS_REQUESTS = ['separate', 'shared', 'refuse'] as const;

/** The ways to serve requests of anonymous callers without a session. */
export type AnonymousRequests = (typeof ANONYMOUS_REQUESTS)[number];

/** The options of the backends that read messages, apart from those of the MCP server. */
export interface BridgeOptions extends BackendOptions {
  /**
   * `false` serves clients of revisions with sessions without one: no `Mcp-Session-Id` is given out, and all requests of one user and
   * client share a connection that the bridge has initialized, as in revision 2026-07-28. Requests of the MCP server to the client are
   * refused, and its notifications reach a client only with the progress of a request. For MCP servers that remember nothing about a
   * session: it saves a process for each session, and replicas need no affinity. @default true
   */
  readonly sessions?: boolean | undefined;
  /**
   * The name of this process among the replicas of a server: letters, digits and hyphens. Session ids begin with it and a dot, so that a
   * proxy can send each session to the replica that opened it. Clients see it. See docs/replicas.md. @default none: ids name no replica
   */
  readonly replica?: string | undefined;
  /**
   * Takes the caller (`undefined`: anonymous) and returns members that are added to `_meta` of each request. If it is set, a client's
   * own `_meta` members are removed from every message, except those of the protocol (`progressToken`, `io.modelcontextprotocol/…`,
   * `traceparent`, `tracestate`, `baggage`) and those in `allowedClientMeta`. A client's member is always removed if the function
   * returns its key, even with the value `undefined`. The function must return a plain object or a promise of one; if it throws, takes
   * longer than 10 seconds or returns anything else, the request fails.
   * @default nothing is added, and nothing removed
   */
  readonly requestMeta?:
    | ((auth: AuthInfo | undefined) => Record<string, unknown> | PromiseLike<Record<string, unknown>>)
    | undefined;
  /** Further keys of `_meta` that a client may send if `requestMeta` is set. Do not list keys that say who the caller is. @default [] */
  readonly allowedClientMeta?: readonly string[] | undefined;
  /**
   * The largest number of open sessions, including children that serve requests without a session; more get 503. Up to twice as many
   * processes may run while old ones end. @default 100
   */
  readonly maxSessions?: number | undefined;
  /**
   * The largest number of open sessions of one user, through all clients and mounts; more get 429. If a limit is reached, a session
   * that no client uses ends first: one without a stream and without a request in flight. @default 10
   */
  readonly maxSessionsPerUser?: number | undefined;
  /**
   * The way to serve requests of anonymous callers without a session (2026-07-28), in which nothing distinguishes two callers. `separate`:
   * each request gets a child that no other request has used. `shared`: all of them share one child, for servers that
   * remember nothing about their callers. `refuse`: 401 with the challenge of `mcpAuth()`, or 403 without one. @default 'separate'
   */
  readonly anonymousRequests?: AnonymousRequests | undefined;
  /** The time after which a session without a request and without a stream ends, in seconds. @default 1800 */
  readonly idleTimeoutSeconds?: number | undefined;
  /** The time that a session without a stream outlives the last token used on it, in seconds. @default 60 */
  readonly expiryGraceSeconds?: number | undefined;
  /**
   * The time in which a program must answer `initialize`, or its first request without a session, in seconds; `npx` may have to
   * download it first. @default 120
   */
  readonly startTimeoutSeconds?: number | undefined;
  /** The time in which a request must be answered, and may wait for a child that is slow to read, in seconds; 0 is no limit. @default 0 */
  readonly requestTimeoutSeconds?: number | undefined;
  /** The largest size of a request body, in bytes; a larger one gets 413. @default 4194304 */
  readonly maxBodyBytes?: number | undefined;
  /** The largest size of one message of the child, in bytes; a larger one fails the request it answers. @default 16777216 */
  readonly maxMessageBytes?: number | undefined;
  /**
   * The largest number of requests of one session in flight, and of its POSTs that wait for a child that is slow to read; more get
   * 429. @default 64
   */
  readonly maxPendingRequests?: number | undefined;
  /** Gets the child's stderr, how children end, refused requests, and the warnings of the bridge. @default no logging */
  readonly logger?: Logger | undefined;
}

export const BRIDGE_TABLE = {
  sessions: flag(true),
  replica: { read: optional(readReplica) },
  requestMeta: { read: optional(resolveMeta) },
  allowedClientMeta: {
    default: [],
    read: (checks, value, option) => checks.strings(value, option, 'Name the keys that clients may send.'),
  },
  ...BACKEND_ROWS,
  maxSessions: limit(100),
  maxSessionsPerUser: limit(10),
  anonymousRequests: word(ANONYMOUS_REQUESTS, 'separate', 'Leave it out for "separate".'),
  idleTimeoutSeconds: limit(1_800),
  expiryGraceSeconds: limit(60, 0),
  startTimeoutSeconds: timerSeconds(120),
  requestTimeoutSeconds: timerSeconds(0, 0),
  maxBodyBytes: limit(4_194_304),
  maxMessageBytes: limit(16_777_216),
  maxPendingRequests: limit(64),
} satisfies OptionTable<BridgeOptions>;

export interface ResolvedBridge extends Omit<ResolvedOptions<typeof BRIDGE_TABLE>, 'maxAnonymousSessions'> {
  readonly maxAnonymousSessions: number;
}

/** Fills in the default that depends on another option. */
export function withAnonymousShare<Resolved extends Omit<ResolvedBridge, 'maxAnonymousSessions'>>(
  resolved: Resolved & { readonly maxAnonymousSessions: number | undefined },
): Resolved & ResolvedBridge {
  return { ...resolved, maxAnonymousSessions: resolved.maxAnonymousSessions ?? anonymousShare(resolved.maxSessions) };
}

function resolveMeta(
  checks: OptionChecks,
  meta: unknown,
  option: string,
): (auth: AuthInfo | undefined) => RequestMeta | Promise<RequestMeta> {
  if (typeof meta !== 'function') {
    const fix = 'Give a function, for example (auth) => ({ … }).';
    return checks.refuse(option, 'a function of the caller', meta, fix);
  }
  const check = (made: unknown): RequestMeta => requirePlainObject(checks, made, 'requestMeta()');
  return (auth) => {
    const made: unknown = meta(auth);
    return isPromiseLike(made) ? settleInTime('requestMeta()', made).then(check) : check(made);
  };
}
