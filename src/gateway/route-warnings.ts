import { isLoopbackAddress, isLoopbackHost } from '../http/loopback.js';
import { requiresToken } from '../policy/modes.js';
import type { RouteConfig } from './config/gateway-config.js';
import type { GatewayRoute } from './route.js';

/** One warning for each route that lets anonymous callers on other machines reach its backend. */
export function warningsOfOpenRoutes(routes: readonly GatewayRoute[], host: string): readonly string[] {
  if (isLoopbackHost(host) || isLoopbackAddress(host)) return [];
  return routes.flatMap((route) => {
    const why = route.hasBackend ? reasonOpen(route) : undefined;
    return why === undefined
      ? []
      : [`${route.at} lets anonymous callers in: ${why}, and ${host} can be reached from other machines. ${ADVICE}`];
  });
}

const ADVICE = 'Require a token (mode: strict), or listen on this machine only (--host 127.0.0.1).';

function reasonOpen({ policy, login }: GatewayRoute): string | undefined {
  if (policy === undefined) return 'policies.mcpAuthentication is missing';
  return requiresToken(policy.modeName) ? undefined : `policies.${login}.mode is ${policy.modeName}`;
}

/** One warning for each route whose backend gets no requests, because the route answers them itself. */
export function warningsOfUnusedBackends(routes: readonly RouteConfig[]): readonly string[] {
  const unused = routes.flatMap(({ unusedBackend, requestRedirect, directResponse }) => {
    const answer = requestRedirect ?? directResponse;
    if (unusedBackend === undefined || answer === undefined) return [];
    return [`${unusedBackend} has no effect, because ${answer.at} answers every request: remove one of them`];
  });
  // A route on several listeners is there several times.
  return [...new Set(unused)];
}
