import { isLoopbackAddress, isLoopbackHost } from '../../http/loopback.js';
import type { GatewayConfig, RouteConfig } from './config-file.js';

/** One warning for each route through which strangers on other machines would reach a backend. */
export function warningsOfOpenRoutes(config: GatewayConfig, host: string): readonly string[] {
  if (isLoopbackHost(host) || isLoopbackAddress(host)) return [];
  return config.binds.flatMap(({ routes }) =>
    routes.flatMap((route) => {
      const why = whyOpen(route);
      return why === undefined
        ? []
        : [`${route.at} lets strangers in: ${why}, and ${host} can be reached from other machines. ${ADVICE}`];
    }),
  );
}

const ADVICE = 'Require a token (mode: strict), or listen on this machine only (--host 127.0.0.1).';

function whyOpen({ mcpAuthentication }: RouteConfig): string | undefined {
  if (mcpAuthentication === undefined) return 'policies.mcpAuthentication is missing';
  const { mode = 'strict' } = mcpAuthentication.policy;
  return mode === 'strict' ? undefined : `policies.mcpAuthentication.mode is ${mode}`;
}
