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

// The program behind a legacy answer may be replaced by a newer one; each question costs a child, and noise in its log.
const SESSIONS_ONLY_FOR_MS = 3_600_000;
// One that said nothing may just have been slow to start.
const SILENT_FOR_MS = 60_000;
const PROBE_MS = 15_000;

interface Slot {
  readonly stateless: StatelessChild;
  readonly child: Child;
  readonly lease: Lease;
  /** The last caller: a child that is started again gets the environment of this one. */
  caller: Caller;
  /** Resolves when the child is known to speak the revision. */
  readonly ready: Promise<void>;
}

/** The owner of a child: a principal, or one request of an anonymous caller. */
type Owner = Principal | BridgeRequest;

/**
 * The children that serve requests without a session: one for each principal, started at its first request. Anonymous callers cannot
 * be told apart, so that each of their requests has a child of its own, unless `anonymousRequests` has them share one.
 */
export class StatelessChildren {
  restarts = 0;
  readonly #options: ResolvedStdio;
  readonly #children: ChildSource;
  readonly #slots = new Map<Owner, Slot>();
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
    for (const { stateless } of this.#slots.values()) sum += stateless.pending;
    return sum;
  }

  /** True if no other request may use the child of this one. */
  isSeparate({ auth }: Caller): boolean {
    return auth === undefined && this.#options.anonymousRequests === 'separate';
  }

  /** The child for a request of `bytes`; started if need be. Refuses revisions that the program does not speak. */
  async get(request: BridgeRequest, bytes: number, version?: string): Promise<StatelessChild> {
    const { principal, auth, isChecked } = request;
    const sessionsOnlyUntil = Math.max(this.#sessionsOnlyUntil, this.#silentUntil.get(principal) ?? 0);
    if (this.#versions === undefined && performance.now() < sessionsOnlyUntil) throw new BridgeError('legacy_server');
    const owner = this.isSeparate(request) ? request : principal;
    const slot = this.#slots.get(owner) ?? this.#start(owner, principal, request);
    slot.caller = { auth, isChecked };
    await slot.stateless.countWaiting(bytes, () => slot.ready);
    if (version !== undefined && !this.#versions?.includes(version)) {
      throw new BridgeError('unsupported_protocol_version', {
        data: { supported: this.#versions, requested: version },
      });
    }
    return slot.stateless;
  }

  /** `Child.ready()` of the principal's child, if there is one. */
  ready(principal: Principal, since: number, bytes: number): Promise<void> | undefined {
    return this.#slots.get(principal)?.stateless.ready(since, bytes);
  }

  /** Lets time pass: timeouts, keep-alive comments, expired tokens, idle children. */
  tick(now: number, keepAlive: boolean): void {
    for (const [principal, until] of this.#silentUntil) if (now >= until) this.#silentUntil.delete(principal);
    for (const [owner, { stateless, child }] of [...this.#slots]) {
      if (stateless.isLate(now, this.#options.startTimeoutSeconds * 1_000)) {
        child.logLateStart(this.#options.startTimeoutSeconds);
        this.#end(owner, stateless, 'start_timed_out');
        continue;
      }
      stateless.tick(now, keepAlive, this.#options.requestTimeoutSeconds * 1_000);
      if (stateless.attended) stateless.lastUsed = now;
      else if (isAbandoned(stateless, now, this.#options)) this.#end(owner, stateless, 'session_ended');
    }
  }

  endAll(reason: BridgeErrorCode): void {
    this.#closed = true;
    for (const [owner, { stateless }] of [...this.#slots]) this.#end(owner, stateless, reason);
  }

  #start(owner: Owner, principal: Principal, { auth, isChecked }: Caller): Slot {
    const caller = { auth, isChecked };
    const { child, share: lease } = this.#children.take(caller);
    const gone = (): void => this.#gone(owner, stateless);
    const stateless = new StatelessChild(child, auth, this.#options.maxPendingRequests, gone);
    const end = () => this.#end(owner, stateless, 'session_ended');
    if (typeof owner === 'string') lease.occupy(stateless, end);
    else onceClosed(owner.res, end);
    const ready = this.#versions ? Promise.resolve() : this.#probe(owner, principal, { stateless, child });
    // Those who wait for it get the error; without them it must not count as an unhandled rejection.
    ready.catch(() => undefined);
    const slot = { stateless, child, lease, caller, ready };
    this.#slots.set(owner, slot);
    return slot;
  }

  async #probe(
    owner: Owner,
    principal: Principal,
    { stateless, child }: Pick<Slot, 'stateless' | 'child'>,
  ): Promise<void> {
    child.probed = true;
    const versions = await probeVersions(stateless);
    if (versions.length > 0) {
      child.probed = false;
      this.#versions = versions;
      return;
    }
    const { answered, over } = stateless;
    this.#end(owner, stateless, 'session_ended');
    const now = performance.now();
    if (answered) {
      if (this.#versions === undefined) this.#sessionsOnlyUntil = now + SESSIONS_ONLY_FOR_MS;
    } else if (over !== undefined && (over !== 'child_exited' || this.#versions)) {
      throw new BridgeError(over);
    } else this.#silentUntil.set(principal, now + SILENT_FOR_MS);
    throw new BridgeError('legacy_server');
  }

  #gone(owner: Owner, stateless: StatelessChild): void {
    const caller = this.#slots.get(owner)?.caller;
    if (!this.#forget(owner, stateless) || this.#closed || !stateless.answered) return;
    // Only a principal has more requests to come.
    if (caller === undefined || typeof owner !== 'string' || isOver(caller.auth)) return;
    this.restarts++;
    try {
      this.#start(owner, owner, caller);
    } catch {
      // No request waits for it: the next request of the principal tries again, and gets the error.
    }
  }

  #end(owner: Owner, stateless: StatelessChild, reason: BridgeErrorCode): void {
    if (this.#forget(owner, stateless)) void stateless.end(reason);
  }

  #forget(owner: Owner, stateless: StatelessChild): boolean {
    const slot = this.#slots.get(owner);
    if (slot?.stateless !== stateless) return false;
    this.#slots.delete(owner);
    slot.lease.release();
    return true;
  }
}

/**
 * Asks a child with `server/discover` which revisions without sessions it speaks. Any answer but those of these revisions means
 * that the program speaks none (2026-07-28, stdio, Backward Compatibility). Silence and a sudden end mean it too, but they may be
 * the fault of this one child, such as that of its user's environment.
 */
async function probeVersions(stateless: StatelessChild): Promise<readonly string[]> {
  const { result, error } = await requestFromChild(stateless, 'server/discover', {}, PROBE_MS);
  const versions = result?.supportedVersions ?? (error?.code === -32022 ? error.data?.supported : undefined);
  return Array.isArray(versions) ? versions.filter((version) => !SESSION_REVISIONS.has(version)) : [];
}
