import { isOver } from '../../core/authority.js';
import type { Principal } from '../../core/principal.js';
import type { Caller, Share } from '../../core/quota.js';
import { onceClosed } from '../../http/hang-up.js';
import { BridgeError, type BridgeErrorCode } from '../../messages/bridge-error.js';
import { LEGACY_REVISIONS } from '../../messages/era.js';
import type { Child } from '../../targets/stdio/child.js';
import type { ChildSource } from '../../targets/stdio/child-source.js';
import type { BridgeRequest } from '../bridge-request.js';
import { isAbandoned } from '../idle-time.js';
import type { ResolvedStdio } from '../stdio-options.js';
import { askChild } from './own-request.js';
import { SharedChild } from './shared-child.js';

// The program behind a legacy answer may be replaced by a newer one; each question costs a child, and noise in its log.
const LEGACY_FOR_MS = 3_600_000;
// One that said nothing may just have been slow to start.
const SILENT_FOR_MS = 60_000;
const PROBE_MS = 15_000;

interface Place {
  readonly shared: SharedChild;
  readonly child: Child;
  readonly share: Share;
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
export class SharedChildren {
  restarts = 0;
  readonly #options: ResolvedStdio;
  readonly #children: ChildSource;
  readonly #places = new Map<Owner, Place>();
  #versions: readonly string[] | undefined;
  #legacyUntil = 0;
  /** The principals whose child did not say which revisions it speaks, each with the time of the next attempt. */
  readonly #silentUntil = new Map<Principal, number>();
  #closed = false;

  constructor(options: ResolvedStdio, children: ChildSource) {
    this.#options = options;
    this.#children = children;
  }

  get pending(): number {
    let sum = 0;
    for (const { shared } of this.#places.values()) sum += shared.pending;
    return sum;
  }

  /** True if no other request may use the child of this one. */
  isSeparate({ auth }: Caller): boolean {
    return auth === undefined && this.#options.anonymousRequests === 'separate';
  }

  /** The child for a request of `bytes`; started if need be. Refuses revisions that the program does not speak. */
  async get(request: BridgeRequest, bytes: number, version?: string): Promise<SharedChild> {
    const { principal, auth, isChecked } = request;
    const legacyUntil = Math.max(this.#legacyUntil, this.#silentUntil.get(principal) ?? 0);
    if (this.#versions === undefined && performance.now() < legacyUntil) throw new BridgeError('legacy_server');
    const owner = this.isSeparate(request) ? request : principal;
    const place = this.#places.get(owner) ?? this.#start(owner, principal, request);
    place.caller = { auth, isChecked };
    await place.shared.hold(bytes, () => place.ready);
    if (version !== undefined && !this.#versions?.includes(version)) {
      throw new BridgeError('unsupported_protocol_version', {
        data: { supported: this.#versions, requested: version },
      });
    }
    return place.shared;
  }

  /** `Child.ready()` of the principal's child, if there is one. */
  ready(principal: Principal, since: number, bytes: number): Promise<void> | undefined {
    return this.#places.get(principal)?.shared.ready(since, bytes);
  }

  /** Lets time pass: timeouts, keep-alive comments, expired tokens, idle children. */
  tick(now: number, keepAlive: boolean): void {
    for (const [principal, until] of this.#silentUntil) if (now >= until) this.#silentUntil.delete(principal);
    for (const [owner, { shared, child }] of [...this.#places]) {
      if (shared.isLate(now, this.#options.startTimeoutSeconds * 1_000)) {
        child.logLateStart(this.#options.startTimeoutSeconds);
        this.#end(owner, shared, 'start_timed_out');
        continue;
      }
      shared.tick(now, keepAlive, this.#options.requestTimeoutSeconds * 1_000);
      if (shared.attended) shared.lastUsed = now;
      else if (isAbandoned(shared, now, this.#options)) this.#end(owner, shared, 'session_ended');
    }
  }

  endAll(reason: BridgeErrorCode): void {
    this.#closed = true;
    for (const [owner, { shared }] of [...this.#places]) this.#end(owner, shared, reason);
  }

  #start(owner: Owner, principal: Principal, { auth, isChecked }: Caller): Place {
    const caller = { auth, isChecked };
    const { child, share } = this.#children.take(caller);
    const gone = (): void => this.#gone(owner, shared);
    const shared = new SharedChild(child, auth, this.#options.maxPendingRequests, gone);
    const end = () => this.#end(owner, shared, 'session_ended');
    if (typeof owner === 'string') share.occupy(shared, end);
    else onceClosed(owner.res, end);
    const ready = this.#versions ? Promise.resolve() : this.#probe(owner, principal, { shared, child });
    // Those who wait for it get the error; without them it must not count as an unhandled rejection.
    ready.catch(() => undefined);
    const place = { shared, child, share, caller, ready };
    this.#places.set(owner, place);
    return place;
  }

  async #probe(owner: Owner, principal: Principal, { shared, child }: Pick<Place, 'shared' | 'child'>): Promise<void> {
    child.probed = true;
    const versions = await probeVersions(shared);
    if (versions.length > 0) {
      child.probed = false;
      this.#versions = versions;
      return;
    }
    const { answered, over } = shared;
    this.#end(owner, shared, 'session_ended');
    const now = performance.now();
    if (answered) {
      if (this.#versions === undefined) this.#legacyUntil = now + LEGACY_FOR_MS;
    } else if (over !== undefined && (over !== 'child_exited' || this.#versions)) {
      throw new BridgeError(over);
    } else this.#silentUntil.set(principal, now + SILENT_FOR_MS);
    throw new BridgeError('legacy_server');
  }

  #gone(owner: Owner, shared: SharedChild): void {
    const caller = this.#places.get(owner)?.caller;
    if (!this.#forget(owner, shared) || this.#closed || !shared.answered) return;
    // Only a principal has more requests to come.
    if (caller === undefined || typeof owner !== 'string' || isOver(caller.auth)) return;
    this.restarts++;
    try {
      this.#start(owner, owner, caller);
    } catch {
      // No request waits for it: the next request of the principal tries again, and gets the error.
    }
  }

  #end(owner: Owner, shared: SharedChild, reason: BridgeErrorCode): void {
    if (this.#forget(owner, shared)) void shared.end(reason);
  }

  #forget(owner: Owner, shared: SharedChild): boolean {
    const place = this.#places.get(owner);
    if (place?.shared !== shared) return false;
    this.#places.delete(owner);
    place.share.release();
    return true;
  }
}

/**
 * Asks a child with `server/discover` which revisions without sessions it speaks. Any answer but those of these revisions means
 * that the program speaks none (2026-07-28, stdio, Backward Compatibility). Silence and a sudden end mean it too, but they may be
 * the fault of this one child, such as that of its user's environment.
 */
async function probeVersions(shared: SharedChild): Promise<readonly string[]> {
  const { result, error } = await askChild(shared, 'server/discover', {}, PROBE_MS);
  const versions = result?.supportedVersions ?? (error?.code === -32022 ? error.data?.supported : undefined);
  return Array.isArray(versions) ? versions.filter((version) => !LEGACY_REVISIONS.has(version)) : [];
}
