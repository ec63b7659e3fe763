import type { Principal } from '../../core/principal.js';
import type { Caller } from '../../core/quota.js';
import { BRIDGE_ERRORS, BridgeError, type BridgeErrorCode } from '../../messages/bridge-error.js';
import { SESSION_REVISIONS } from '../../messages/revision.js';
import { statusOf } from '../../messages/stateless-response.js';
import type { LeasedConnections } from '../../targets/leased-connections.js';
import type { ResolvedBridge } from '../bridge-options.js';
import type { BridgeRequest } from '../bridge-request.js';
import { ConnectionPool, type NewConnection } from './connection-pool.js';
import { type InternalResponse, requestFromServer } from './internal-request.js';
import type { StatelessConnection } from './stateless-connection.js';

// A program that speaks only revisions with sessions may be updated, so it is asked again after this time. Asking opens a connection.
const SESSIONS_ONLY_FOR_MS = 3_600_000;
// A program that did not answer may only have been slow to start, so it is asked again sooner.
const SILENT_FOR_MS = 60_000;
const PROBE_MS = 15_000;
/** Bytes. Instructions and capabilities have far less. */
const MAX_PROBE_BYTES = 1_048_576;
/** Revisions are remembered for all clients. A server that speaks more of them, or names longer ones, is not believed. */
const MAX_VERSIONS = 100;
const MAX_VERSION_LENGTH = 64;
// With these, a server may fail a request that it does not know. Any other failure says nothing about its revisions.
const ODD_ANSWERS: ReadonlySet<BridgeErrorCode> = new Set([
  'request_timed_out',
  'target_malformed',
  'unreadable_answer',
  'message_too_large',
]);
const UNSUPPORTED_VERSION = BRIDGE_ERRORS.unsupported_protocol_version.code;

/** The connections that serve requests of revisions without sessions (2026-07-28). */
export class StatelessConnections {
  readonly #pool: ConnectionPool<void>;
  #versions: readonly string[] | undefined;
  #sessionsOnlyUntil = 0;
  /** The principals whose server did not say which revisions it speaks, each with the time of the next attempt. */
  readonly #silentUntil = new Map<Principal, number>();

  constructor(options: ResolvedBridge, connections: LeasedConnections) {
    this.#pool = new ConnectionPool(options, connections, {
      statusOf,
      prepare: async (opened) => {
        if (this.#versions === undefined) await this.#probe(opened);
      },
    });
  }

  get pending(): number {
    return this.#pool.pending;
  }

  get restarts(): number {
    return this.#pool.restarts;
  }

  /** True if no other request may use the connection of this one. */
  isSeparate(caller: Caller): boolean {
    return this.#pool.isSeparate(caller);
  }

  /**
   * Returns the connection for a request of `bytes` bytes, and opens it if needed.
   *
   * @throws {BridgeError} If the program does not speak `version` or did not start, or if a limit is reached.
   */
  async get(request: BridgeRequest, bytes: number, version?: string): Promise<StatelessConnection> {
    const sessionsOnlyUntil = Math.max(this.#sessionsOnlyUntil, this.#silentUntil.get(request.principal) ?? 0);
    if (this.#versions === undefined && performance.now() < sessionsOnlyUntil) throw new BridgeError('legacy_server');
    const { stateless } = await this.#pool.get(request, bytes);
    if (version !== undefined && !this.#versions?.includes(version)) {
      throw new BridgeError('unsupported_protocol_version', {
        data: { supported: this.#versions, requested: version },
      });
    }
    return stateless;
  }

  /** `Connection.whenWritable()` of the principal's connection; undefined if there is none. */
  whenWritable(principal: Principal, since: number, bytes: number): Promise<void> | undefined {
    return this.#pool.whenWritable(principal, since, bytes);
  }

  /** Called every second. Returns true if a request has timed out. */
  tick(now: number, keepAlive: boolean): boolean {
    for (const [principal, until] of this.#silentUntil) if (now >= until) this.#silentUntil.delete(principal);
    return this.#pool.tick(now, keepAlive);
  }

  /** Ends subscriptions, except on connections on which another request is in flight. */
  endSubscriptions(): void {
    this.#pool.endSubscriptions();
  }

  endAll(reason: 'closing'): void {
    this.#pool.endAll(reason);
  }

  /** Asks which revisions without sessions the server speaks; rejects if it speaks none. */
  async #probe(opened: NewConnection): Promise<void> {
    const { principal, stateless, connection } = opened;
    connection.isProbed = true;
    const response = await requestFromServer(stateless, 'server/discover', {}, PROBE_MS, MAX_PROBE_BYTES);
    const versions = versionsIn(response);
    if (versions.length > 0) {
      connection.isProbed = false;
      this.#versions = versions;
      return;
    }
    const { hasAnswered, closeReason: failure = response.reason } = stateless;
    this.#pool.end(opened, 'session_ended');
    const now = performance.now();
    if (hasAnswered) {
      if (this.#versions === undefined) this.#sessionsOnlyUntil = now + SESSIONS_ONLY_FOR_MS;
    } else if (failure !== undefined && !this.#mayBeOlder(failure)) throw new BridgeError(failure);
    else this.#silentUntil.set(principal, now + SILENT_FOR_MS);
    throw new BridgeError('legacy_server');
  }

  /** True for a failure of `server/discover` that may be all that a server of revisions with sessions has to say. */
  #mayBeOlder(failure: BridgeErrorCode): boolean {
    return ODD_ANSWERS.has(failure) || (failure === 'child_exited' && this.#versions === undefined);
  }
}

/**
 * Returns the revisions without sessions in the response to `server/discover`: none for any answer that these revisions do not define
 * (2026-07-28, stdio, Backward Compatibility), for silence and for a connection that breaks. The last two may have a cause in this one
 * connection, such as its user's environment.
 */
function versionsIn({ result, error }: InternalResponse): readonly string[] {
  const versions =
    result?.supportedVersions ?? (error?.code === UNSUPPORTED_VERSION ? error.data?.supported : undefined);
  return Array.isArray(versions) ? versions.filter(isStatelessVersion).slice(0, MAX_VERSIONS) : [];
}

function isStatelessVersion(version: unknown): version is string {
  return typeof version === 'string' && version.length <= MAX_VERSION_LENGTH && !SESSION_REVISIONS.has(version);
}
