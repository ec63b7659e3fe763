import { factsOf } from '../bridge/backend-facts.js';
import type { AnyBackend, RouteStats, ShownTarget } from './admin-source.js';

/** Returns the numbers of a backend, with the same names for every kind of backend. */
export function statsOf(backend: AnyBackend | undefined): RouteStats {
  if (backend === undefined) return { sessions: 0, pending: 0, connections: 0, restarts: 0 };
  const { sessions, pending, ...others }: Readonly<Record<string, number>> & { sessions: number; pending: number } = {
    ...backend.stats(),
  };
  const { connections, children, streams, restarts = 0 } = others;
  return { sessions, pending, connections: connections ?? children ?? streams ?? 0, restarts };
}

/**
 * Returns the MCP servers of a backend. Without a backend, the server is in this process.
 *
 * @param names The names in the configuration file: a backend with one target does not know its name.
 */
export function targetsOf(backend: AnyBackend | undefined, names: readonly string[] = []): readonly ShownTarget[] {
  const targets = backend && factsOf(backend)?.targets;
  if (targets === undefined)
    return [{ name: 'server', kind: 'in-process', description: 'an MCP server in this process' }];
  return targets.map(({ name, kind, where }, i) => ({ name: name ?? names[i] ?? where, kind, description: where }));
}
