import { isLoopbackAddress, isLoopbackHost } from '../http/loopback.js';
import { requiresToken } from '../policy/modes.js';
import type { GatewayRoute } from './route.js';

/** One warning for each route through which strangers on other machines would reach a backend. */
export function warningsOfOpenRoutes(routes: readonly GatewayRoute[], host: string): readonly string[] {
  if (isLoopbackHost(host) || isLoopbackAddress(host)) return [];
  return routes.flatMap((route) => {
    const why = whyOpen(route);
    return why === undefined
      ? []
      : [`${route.at} lets strangers in: ${why}, and ${host} can be reached from other machines. ${ADVICE}`];
  });
}

const ADVICE = 'Require a token (mode: strict), or listen on this machine only (--host 127.0.0.1).';

function whyOpen({ policy }: GatewayRoute): string | undefined {
  if (policy === undefined) return 'policies.mcpAuthentication is missing';
  return requiresToken(policy.modeName) ? undefined : `policies.mcpAuthentication.mode is ${policy.modeName}`;
}
