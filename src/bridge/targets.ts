import type { ConnectionSource } from '../targets/connection.js';
import { PinFile } from '../targets/several/pin-file.js';
import { ToolPins } from '../targets/several/pins.js';
import type { NameKind, TargetedName } from '../targets/several/qualified.js';
import { SeveralSource } from '../targets/several/several-source.js';
import type { PublishedKey } from './http/caller-token.js';
import type { ResolvedBackend } from './mcp-backend-options.js';
import { createChildSource, createRemoteSource } from './target-source.js';

/** The targets of one backend, as one. */
export interface Targets {
  readonly source: ConnectionSource;
  /** The keys with which this server says who is calling. */
  readonly keys: readonly PublishedKey[];
  /** Says which target a client's name is about, and how that target calls it. */
  resolve(kind: NameKind, name: string): TargetedName | undefined;
  /** Resolves to true if every remote target answers. */
  ready(): Promise<boolean>;
}

/** @param who The backend's function, in the log. */
export function createTargets(who: string, resolved: ResolvedBackend): Targets {
  const sources = new Map<string, ConnectionSource>();
  const keys: PublishedKey[] = [];
  const checks: (() => Promise<boolean>)[] = [];
  for (const [name, target] of resolved.targets) {
    if (target.kind === 'child') {
      sources.set(name, createChildSource(target.child, resolved));
      continue;
    }
    const { source, key, ready } = createRemoteSource(`${who}: ${name}`, target.server, resolved);
    sources.set(name, source);
    if (key !== undefined) keys.push(key);
    checks.push(ready);
  }
  return { ...join(sources, resolved), keys, ready: () => allOf(checks) };
}

/** One target alone is connected directly, so that its messages pass unchanged. */
function join(
  sources: ReadonlyMap<string, ConnectionSource>,
  resolved: ResolvedBackend,
): Pick<Targets, 'source' | 'resolve'> {
  const { prefixMode, pin, maxPendingRequests, requestTimeoutSeconds, startTimeoutSeconds, logger } = resolved;
  const [[target, only] = [], ...others] = sources;
  if (target !== undefined && only !== undefined && others.length === 0 && prefixMode !== 'always' && pin === false) {
    return { source: only, resolve: (_kind, name) => ({ target, name }) };
  }
  const source = new SeveralSource({
    ...resolved,
    targets: sources,
    pins: pin === false ? undefined : new ToolPins(pin === true ? undefined : new PinFile(pin), logger),
    startTimeoutMs: startTimeoutSeconds * 1_000,
    maxWaiting: maxPendingRequests,
    waitMs: requestTimeoutSeconds * 1_000,
  });
  return { source, resolve: (kind, name) => source.resolve(kind, name) };
}

async function allOf(checks: readonly (() => Promise<boolean>)[]): Promise<boolean> {
  const results = await Promise.all(checks.map((check) => check()));
  return results.every((result) => result);
}
