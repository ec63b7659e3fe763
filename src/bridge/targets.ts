import type { ConnectionSource } from '../targets/connection.js';
import type { PublishedKey } from './http/caller-token.js';
import type { ResolvedBackend } from './mcp-backend-options.js';
import { createChildSource, createRemoteSource } from './target-source.js';

/** The targets of one backend, as one. */
export interface Targets {
  readonly source: ConnectionSource;
  /** The keys with which this server says who is calling. */
  readonly keys: readonly PublishedKey[];
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
  const [source] = sources.values();
  return { source: source as ConnectionSource, keys, ready: () => allOf(checks) };
}

async function allOf(checks: readonly (() => Promise<boolean>)[]): Promise<boolean> {
  const results = await Promise.all(checks.map((check) => check()));
  return results.every((result) => result);
}
