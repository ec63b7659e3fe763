import type { IncomingMessage } from 'node:http';
import { rawPath, requestTarget } from '../http/request-target.js';
import { createPerRequest } from './per-request.js';

/** A route of the command, as records of calls name it. */
export interface McpRoute {
  /** Read when a call begins and when it ends: meanwhile, a reload of the file may rename the route. */
  readonly label: string;
}

const routes = createPerRequest<McpRoute>();

/** Stores the route of the command that serves a request. */
export function setMcpRoute(req: IncomingMessage, route: McpRoute): void {
  routes.set(req, route);
}

/** Returns the route of the command that serves a request. Undefined in an application. */
export function commandRouteOf(req: IncomingMessage): McpRoute | undefined {
  return routes.get(req);
}

/**
 * Returns the route that serves a request: that of the command, else the path where Express has mounted the middleware, else the path of the
 * request, without the query.
 */
export function mcpRouteOf(req: IncomingMessage): string {
  const { baseUrl } = req as { baseUrl?: string };
  return routes.get(req)?.label ?? (baseUrl || rawPath(requestTarget(req)));
}
