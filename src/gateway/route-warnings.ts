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

/** One warning for each route whose `retry` has no effect, because it has only programs. */
export function warningsOfUnusedRetry(routes: readonly RouteConfig[]): readonly string[] {
  const unused = routes.flatMap(({ retry, backend }) => {
    if (retry === undefined || backend === undefined || retry.options.attempts === 1) return [];
    if (backend.targets.some(({ server }) => 'url' in server)) return [];
    return [`${retry.at} has no effect: a program gets each message once. It is for remote targets`];
  });
  return [...new Set(unused)];
}

/** One warning for routes without a name that have the same host, port and path: their records and numbers cannot be told apart. */
export function warningsOfSharedLabels(routes: readonly RouteConfig[]): readonly string[] {
  const places = new Map<string, Set<string>>();
  for (const { label, at, hasDefaultLabel } of routes) {
    if (hasDefaultLabel) places.set(label, (places.get(label) ?? new Set()).add(at));
  }
  return [...places].flatMap(([label, [first, second, ...more]]) => {
    if (second === undefined) return [];
    const others = more.length === 0 ? second : `${second} and ${more.length} more`;
    return [`${first} and ${others} are all "${label}" in metrics and the access log: give each of them a name`];
  });
}

/** One warning for each route whose backend gets no requests, because the route answers them itself. */
export function warningsOfUnusedBackends(routes: readonly RouteConfig[]): readonly string[] {
  const unused = routes.flatMap(({ unusedBackend, requestRedirect, directResponse }) => {
    const answer = requestRedirect ?? directResponse;
    if (unusedBackend === undefined || answer === undefined) return [];
    return [`${unusedBackend} has no effect, because ${answer.at} answers every request: remove one of them`];
  });
  // A route on several listeners occurs several times.
  return [...new Set(unused)];
}

/**
 * One warning for each two routes that sign session ids with the same `secret` and have a path in common. The signature covers the caller and
 * the path, so an id of one route would be valid at the other.
 */
export function warningsOfSharedSecrets(routes: readonly GatewayRoute[]): readonly string[] {
  const shared = routes.flatMap((route, i) =>
    routes
      .slice(i + 1)
      .filter((other) => other.at !== route.at && shareSecret(route, other) && sharePath(route, other))
      .map((other) => `${route.at} and ${other.at} have a path and a secret in common: ${SHARED_SECRET_ADVICE}`),
  );
  return [...new Set(shared)];
}

const SHARED_SECRET_ADVICE =
  'the MCP server of one can choose session ids that are valid at the other. Give each login a secret of its own, or set config.session.key in place of both';

function shareSecret({ policy }: GatewayRoute, other: GatewayRoute): boolean {
  return policy?.secrets.some((secret) => other.policy?.secrets.includes(secret)) === true;
}

function sharePath({ matches }: GatewayRoute, other: GatewayRoute): boolean {
  return matches.some(({ path: { kind, path } }) =>
    other.matches.some(({ path: theirs }) => theirs.kind === kind && theirs.path === path),
  );
}
