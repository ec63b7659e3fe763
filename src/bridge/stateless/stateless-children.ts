import { isOver } from '../../core/authority.js';
import type { Principal } from '../../core/principal.js';
import type { Caller, Lease } from '../../core/quota.js';
import { onceClosed } from '../../http/hang-up.js';
import { BridgeError, type BridgeErrorCode } from '../../messages/bridge-error.js';
import { SESSION_REVISIONS } from '../../messages/revision.js';
import type { Child } from '../../targets/stdio/child.js';
import type { ChildSource } from '../../targets/stdio/child-source.js';
import type { BridgeRequest } from '../bridge-request.js';
import { isAbandoned } from '../idle-time.js';
import type { ResolvedStdio } from '../stdio-options.js';
import { requestFromChild } from './internal-request.js';
import { StatelessChild } from './stateless-child.js';

// A program that speaks only revisions with sessions may be updated, so it is asked again after this time. Asking starts a child.
const SESSIONS_ONLY_FOR_MS = 3_600_000;
// A program that did not answer may only have been slow to start, so it is asked again sooner.
const SILENT_FOR_MS = 60_000;
const PROBE_MS = 15_000;

interface RunningChild {
  readonly child: StatelessChild;
  readonly program: Child;
  readonly lease: Lease;
  /** The last caller. A child that is started again gets its environment. */
  caller: Caller;
  /** Resolves when the child has named revisions without sessions that it speaks; rejects if it speaks none. */
  readonly ready: Promise<void>;
}

/** The owner of a child: a principal, or one request of an anonymous caller. */
type Owner = Principal | BridgeRequest;

/**
 * The children that serve requests without a session: one for each principal, started at its first request. Anonymous callers cannot
 * be told apart, so each of their requests has its own child, unless `anonymousRequests` is `shared`.
 */
export class StatelessChildren {
  restarts = 0;
  readonly #options: ResolvedStdio;
  readonly #children: ChildSource;
  readonly #running = new Map<Owner, RunningChild>();
  #versions: readonly string[] | undefined;
  #sessionsOnlyUntil = 0;
  /** The principals whose child did not say which revisions it speaks, each with the time of the next attempt. */
  readonly #silentUntil = new Map<Principal, number>();
  #closed = false;

  constructor(options: ResolvedStdio, children: ChildSource) {
    this.#options = options;
    this.#children = children;
  }

  get pending(): number {
    let sum = 0;
    for (const { child } of this.#running.values()) sum += child.pending;
    return sum;
  }

  /** True if no other request may use the child of this one. */
  isSeparate({ auth }: Caller): boolean {
    return auth === undefined && this.#options.anonymousRequests === 'separate';
  }

  /**
   * Returns the child for a request of `bytes` bytes, and starts it if needed.
   *
   * @throws {BridgeError} If the program does not speak `version` or did not start, or if a limit is reached.
   */
  async get(request: BridgeRequest, bytes: number, version?: string): Promise<StatelessChild> {
    const { principal, auth, isChecked } = request;
    const sessionsOnlyUntil = Math.max(this.#sessionsOnlyUntil, this.#silentUntil.get(principal) ?? 0);
    if (this.#versions === undefined && performance.now() < sessionsOnlyUntil) throw new BridgeError('legacy_server');
    const owner = this.isSeparate(request) ? request : principal;
    const running = this.#running.get(owner) ?? this.#start(owner, principal, request);
    running.caller = { auth, isChecked };
    await running.child.countWaiting(bytes, () => running.ready);
    if (version !== undefined && !this.#versions?.includes(version)) {
      throw new BridgeError('unsupported_protocol_version', {
        data: { supported: this.#versions, requested: version },
      });
    }
    return running.child;
  }

  /** `Child.ready()` of the principal's child; undefined if there is none. */
  ready(principal: Principal, since: number, bytes: number): Promise<void> | undefined {
    return this.#running.get(principal)?.child.ready(since, bytes);
  }

  /** Called every second, for timeouts, keep-alive comments, expired tokens and idle children. */
  tick(now: number, keepAlive: boolean): void {
    for (const [principal, until] of this.#silentUntil) if (now >= until) this.#silentUntil.delete(principal);
    for (const [owner, { child, program }] of [...this.#running]) {
      if (child.isLate(now, this.#options.startTimeoutSeconds * 1_000)) {
        program.logLateStart(this.#options.startTimeoutSeconds);
        this.#end(owner, child, 'start_timed_out');
        continue;
      }
      child.tick(now, keepAlive, this.#options.requestTimeoutSeconds * 1_000);
      if (child.isInUse) child.lastUsed = now;
      else if (isAbandoned(child, now, this.#options)) this.#end(owner, child, 'session_ended');
    }
  }

  endAll(reason: BridgeErrorCode): void {
    this.#closed = true;
    for (const [owner, { child }] of [...this.#running]) this.#end(owner, child, reason);
  }

  #start(owner: Owner, principal: Principal, { auth, isChecked }: Caller): RunningChild {
    const caller = { auth, isChecked };
    const { child: program, lease } = this.#children.take(caller);
    const gone = (): void => this.#gone(owner, child);
    const child = new StatelessChild(program, auth, this.#options.maxPendingRequests, gone);
    const end = () => this.#end(owner, child, 'session_ended');
    if (typeof owner === 'string') lease.occupy(child, end);
    else onceClosed(owner.res, end);
    const ready = this.#versions ? Promise.resolve() : this.#probe(owner, principal, { child, program });
    // The requests that await it get the error. If none does, it must not become an unhandled rejection.
    ready.catch(() => undefined);
    const running = { child, program, lease, caller, ready };
    this.#running.set(owner, running);
    return running;
  }

  async #probe(
    owner: Owner,
    principal: Principal,
    { child, program }: Pick<RunningChild, 'child' | 'program'>,
  ): Promise<void> {
    program.probed = true;
    const versions = await probeVersions(child);
    if (versions.length > 0) {
      program.probed = false;
      this.#versions = versions;
      return;
    }
    const { answered, over } = child;
    this.#end(owner, child, 'session_ended');
    const now = performance.now();
    if (answered) {
      if (this.#versions === undefined) this.#sessionsOnlyUntil = now + SESSIONS_ONLY_FOR_MS;
    } else if (over !== undefined && (over !== 'child_exited' || this.#versions)) {
      throw new BridgeError(over);
    } else this.#silentUntil.set(principal, now + SILENT_FOR_MS);
    throw new BridgeError('legacy_server');
  }

  #gone(owner: Owner, child: StatelessChild): void {
    const caller = this.#running.get(owner)?.caller;
    if (!this.#forget(owner, child) || this.#closed || !child.answered) return;
    // The child of one anonymous request has no more requests to serve.
    if (caller === undefined || typeof owner !== 'string' || isOver(caller.auth)) return;
    this.restarts++;
    try {
      this.#start(owner, owner, caller);
    } catch {
      // No request waits for it: the next request of the principal tries again, and gets the error.
    }
  }

  #end(owner: Owner, child: StatelessChild, reason: BridgeErrorCode): void {
    if (this.#forget(owner, child)) void child.end(reason);
  }

  #forget(owner: Owner, child: StatelessChild): boolean {
    const running = this.#running.get(owner);
    if (running?.child !== child) return false;
    this.#running.delete(owner);
    running.lease.release();
    return true;
  }
}

/**
 * Asks a child with `server/discover` which revisions without sessions it speaks. Returns none for any answer that these revisions
 * do not define (2026-07-28, stdio, Backward Compatibility), for silence and for a child that exits. The last two may have a cause
 * in this one child, such as its user's environment.
 */
async function probeVersions(child: StatelessChild): Promise<readonly string[]> {
  const { result, error } = await requestFromChild(child, 'server/discover', {}, PROBE_MS);
  const versions = result?.supportedVersions ?? (error?.code === -32022 ? error.data?.supported : undefined);
  return Array.isArray(versions) ? versions.filter((version) => !SESSION_REVISIONS.has(version)) : [];
}
