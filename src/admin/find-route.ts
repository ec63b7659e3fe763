import { AdminError } from './admin-error.js';
import type { AdminRoute } from './admin-source.js';

/** Finds the route with this id. */
export function findRoute(routes: readonly AdminRoute[], id: unknown): AdminRoute {
  const found = routes.find((route) => route.id === id);
  if (found === undefined) throw new AdminError(404, 'unknown_route', '"route" must be the id of a route');
  return found;
}
