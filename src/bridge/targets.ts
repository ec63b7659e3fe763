import { createNamedLogger } from '../core/logger.js';
import type { ConnectionSource } from '../targets/connection.js';
import { PinFile } from '../targets/several/pin-file.js';
import { ToolPins } from '../targets/several/pins.js';
import type { NameKind, TargetedName } from '../targets/several/qualified.js';
import { SeveralSource } from '../targets/several/several-source.js';
import type { BackendFault } from './backend-faults.js';
import type { PublishedKey } from './http/caller-token.js';
import type { ResolvedBackend } from './mcp-backend-options.js';
import { createChildSource, createRemoteSource } from './target-source.js';

/** The targets of one backend, joined. */
export interface Targets {
  readonly source: ConnectionSource;
  /** The keys with which this server says who is calling. */
  readonly keys: readonly PublishedKey[];
  /** Finds the target of a name that clients use, and the target's own name. */
  resolve(kind: NameKind, name: string): TargetedName | undefined;
  /** Asks the remote targets whether they answer. Resolves to one fault for each that does not. */
  remoteFaults(): Promise<readonly BackendFault[]>;
}

/** @param who The backend's function, in the log. */
export function createTargets(who: string, resolved: ResolvedBackend): Targets {
  const sources = new Map<string, ConnectionSource>();
  const keys: PublishedKey[] = [];
  const checks = new Map<string, FaultCheck>();
  for (const [name, target] of resolved.targets) {
    if (target.kind === 'child') {
      sources.set(name, createChildSource(target.child, resolved, name));
      continue;
    }
    const { source, key, fault } = createRemoteSource(`${who}: ${name}`, target.server, resolved, name);
    sources.set(name, source);
    if (key !== undefined) keys.push(key);
    checks.set(name, fault);
  }
  return { ...join(who, sources, resolved), keys, remoteFaults: () => runChecks(checks) };
}

/** One target alone is connected directly, so that its messages pass unchanged. */
function join(
  who: string,
  sources: ReadonlyMap<string, ConnectionSource>,
  resolved: ResolvedBackend,
): Pick<Targets, 'source' | 'resolve'> {
  const { prefixMode, pin, maxPendingRequests, requestTimeoutSeconds, startTimeoutSeconds } = resolved;
  const [[target, only] = [], ...others] = sources;
  if (target !== undefined && only !== undefined && others.length === 0 && prefixMode !== 'always' && pin === false) {
    return { source: only, resolve: (_kind, name) => ({ target, name }) };
  }
  const logger = createNamedLogger(who, resolved.logger);
  const source = new SeveralSource({
    ...resolved,
    logger,
    targets: sources,
    pins: pin === false ? undefined : new ToolPins(pin === true ? undefined : new PinFile(pin), logger),
    startTimeoutMs: startTimeoutSeconds * 1_000,
    maxWaiting: maxPendingRequests,
    waitMs: requestTimeoutSeconds * 1_000,
  });
  return { source, resolve: (kind, name) => source.resolve(kind, name) };
}

/** Resolves to the reason why a target does not answer; undefined if it does. */
type FaultCheck = () => Promise<string | undefined>;

async function runChecks(checks: ReadonlyMap<string, FaultCheck>): Promise<readonly BackendFault[]> {
  const checked = [...checks].map(async ([target, check]) => ({ target, reason: await check() }));
  return (await Promise.all(checked)).flatMap(({ target, reason }) =>
    reason === undefined ? [] : [{ target, reason }],
  );
}
