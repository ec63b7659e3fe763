import { type AuthInfo, expiryOf } from '../../core/auth-info.js';
import type { Principal } from '../../core/principal.js';
import type { Share } from '../../core/quota.js';
import { BridgeError, type BridgeErrorCode } from '../../messages/bridge-error.js';
import { LEGACY_REVISIONS } from '../../messages/era.js';
import type { Child } from '../../targets/stdio/child.js';
import type { ChildSource } from '../../targets/stdio/child-source.js';
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
  /** Who was here last: what a child that is started again is told of. */
  auth: AuthInfo | undefined;
  /** Resolves when the child is known to speak the revision. */
  readonly ready: Promise<void>;
}

/** The children that serve requests without a session: one for each principal, started at its first request. */
export class SharedChildren {
  restarts = 0;
  readonly #options: ResolvedStdio;
  readonly #children: ChildSource;
  readonly #places = new Map<Principal, Place>();
  #versions: readonly string[] | undefined;
  #legacyUntil = 0;
  /** Whose child did not say what it speaks, and until when it is not asked again. */
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

  /** The principal's child; started if need be. Refuses revisions that the program does not speak. */
  async get(principal: Principal, auth: AuthInfo | undefined, version?: string): Promise<SharedChild> {
    const legacyUntil = Math.max(this.#legacyUntil, this.#silentUntil.get(principal) ?? 0);
    if (this.#versions === undefined && Date.now() < legacyUntil) throw new BridgeError('legacy_server');
    const place = this.#places.get(principal) ?? this.#start(principal, auth);
    place.auth = auth;
    await place.ready;
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
    for (const [principal, { shared, child }] of [...this.#places]) {
      if (shared.isLate(now, this.#options.startTimeoutSeconds * 1_000)) {
        child.logLateStart(this.#options.startTimeoutSeconds);
        this.#end(principal, shared, 'start_timed_out');
        continue;
      }
      shared.tick(now, keepAlive, this.#options.requestTimeoutSeconds * 1_000);
      if (!shared.idle) shared.lastUsed = now;
      else if (isAbandoned(shared, now, this.#options)) this.#end(principal, shared, 'session_ended');
    }
  }

  endAll(reason: BridgeErrorCode): void {
    this.#closed = true;
    for (const [principal, { shared }] of [...this.#places]) this.#end(principal, shared, reason);
  }

  #start(principal: Principal, auth: AuthInfo | undefined): Place {
    const { child, share } = this.#children.take(auth);
    const gone = (): void => this.#gone(principal, shared);
    const shared = new SharedChild(child, this.#options.maxPendingRequests, gone);
    shared.expiresAt = expiryOf(auth);
    const ready = this.#versions ? Promise.resolve() : this.#probe(principal, shared, child);
    // Whoever waits for it is told; with nobody waiting it must not count as unhandled.
    ready.catch(() => undefined);
    const place = { shared, child, share, auth, ready };
    this.#places.set(principal, place);
    return place;
  }

  async #probe(principal: Principal, shared: SharedChild, child: Child): Promise<void> {
    child.probed = true;
    const versions = await probeVersions(shared);
    if (versions.length > 0) {
      child.probed = false;
      this.#versions = versions;
      return;
    }
    const { answered, over } = shared;
    this.#end(principal, shared, 'session_ended');
    const now = Date.now();
    if (answered) {
      if (this.#versions === undefined) this.#legacyUntil = now + LEGACY_FOR_MS;
    } else if (over !== undefined && (over !== 'child_exited' || this.#versions)) {
      throw new BridgeError(over);
    } else this.#silentUntil.set(principal, now + SILENT_FOR_MS);
    throw new BridgeError('legacy_server');
  }

  #gone(principal: Principal, shared: SharedChild): void {
    const auth = this.#places.get(principal)?.auth;
    if (!this.#forget(principal, shared) || this.#closed || !shared.answered) return;
    this.restarts++;
    try {
      this.#start(principal, auth);
    } catch {
      // Nobody waits for it: the principal's next request tries again, and is told.
    }
  }

  #end(principal: Principal, shared: SharedChild, reason: BridgeErrorCode): void {
    if (this.#forget(principal, shared)) void shared.end(reason);
  }

  #forget(principal: Principal, shared: SharedChild): boolean {
    const place = this.#places.get(principal);
    if (place?.shared !== shared) return false;
    this.#places.delete(principal);
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
