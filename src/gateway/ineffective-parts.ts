import { type GatewayConfig, type ListenerConfig, type RouteConfig, routesOf } from './config/gateway-config.js';
import { LOG_DEFAULTS, type LogSettings } from './log-settings.js';

/**
 * One warning for each part of the file that has no effect, because another part prevents it.
 *
 * @param logging The settings of the command line, which override those of the file.
 */
export function warningsOfIneffectiveParts(config: GatewayConfig, logging: LogSettings): readonly string[] {
  const { unusedBackends = [], accessLog, process } = config;
  const { level } = { ...LOG_DEFAULTS, ...config.logging, ...logging };
  const isHidden = level === 'warn' || level === 'error';
  return [
    ...(accessLog && isHidden
      ? [
          `the access log of frontendPolicies has no effect, because its lines are info and the log level is ${level}: lower that`,
        ]
      : []),
    ...(process.adminPassword && process.admin === 'off'
      ? ['config.adminPassword has no effect, because the admin address is off: remove one of them']
      : []),
    ...unusedBackends.map((at) => `${at} has no effect, because no route names it`),
    ...warningsOfUnusedServerInfo(config),
    ...warningsOfUnreachableRoutes(config),
  ];
}

function warningsOfUnusedServerInfo(config: GatewayConfig): readonly string[] {
  // Several routes may name one backend.
  const unused = new Set(routesOf(config).flatMap(({ backend }) => backend?.unusedServerInfo ?? []));
  return [...unused].map((at) => `${at} has no effect, because clients see the name and version of the only target`);
}

/** A route whose host names are none of its listener's gets no request. */
function warningsOfUnreachableRoutes(config: GatewayConfig): readonly string[] {
  const listeners = config.binds.flatMap((bind) => bind.listeners);
  const reachable = new Set(
    listeners.flatMap((listener) => listener.routes.filter((route) => canReach(listener, route)).map(({ at }) => at)),
  );
  const unreachable = routesOf(config).filter(({ at }) => !reachable.has(at));
  // A route on several listeners occurs several times.
  return [...new Set(unreachable.map(({ at }) => at))].map(
    (at) => `${at} gets no requests: none of its hostnames fits the hostname of its listener`,
  );
}

function canReach({ hostname }: ListenerConfig, { hostnames }: RouteConfig): boolean {
  return hostnames.length === 0 || hostnames.some((each) => haveHostInCommon(each, hostname));
}

/** True if there is a host that both patterns match: `*`, a name, or `*.` and a name. */
function haveHostInCommon(one: string, other: string): boolean {
  return one === other || includesPattern(one, other) || includesPattern(other, one);
}

function includesPattern(pattern: string, other: string): boolean {
  return pattern === '*' || (pattern.startsWith('*.') && other.endsWith(pattern.slice(1)));
}
