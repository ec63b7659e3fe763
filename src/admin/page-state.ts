import type { AdminRoute, AdminSource } from './admin-source.js';

interface StateParts {
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
}

/** Builds the answer of `api/state`. */
export async function buildState({ routes, config }: AdminSource, { version, startedAt }: StateParts) {
  const all = routes();
  const text = config?.();
  return {
    version,
    startedAt,
    routes: await Promise.all(all.map(describeRoute)),
    can: {
      revoke: all.some(({ revocation }) => revocation !== undefined),
      endSessions: all.some(({ targets }) => targets.some(({ kind }) => kind !== 'in-process')),
      callTools: all.some(({ callAddress }) => callAddress !== undefined),
      doctor: all.some(({ doctorTarget }) => doctorTarget !== undefined),
      developmentToken: all.some(({ developmentToken }) => developmentToken !== undefined),
    },
    ...(text !== undefined && { config: text }),
  };
}

async function describeRoute(route: AdminRoute) {
  const { id, name, url, mode, authenticates, targets } = route;
  const problems = await route.problems();
  const health = { ready: problems.length === 0, problems };
  return { id, name, url, mode, authenticates, targets, health, stats: route.stats() };
}
