import { clientAddressesOf, warningsOfOtherPorts } from '../client-addresses.js';
import type { GatewayRoute } from '../route.js';
import { warningsOfOpenRoutes } from '../route-warnings.js';
import type { ConfigChanges } from './versions.js';

/** Routes that are named in a log line. */
const MAX_NAMED = 10;

/** Says in a log line which routes are kept, started and drained. */
export function describeChanges({ kept, started, ended }: ConfigChanges): string {
  return [
    `${kept.length} ${kept.length === 1 ? 'route' : 'routes'} kept`,
    `${started.length} started${namesOf(started)}`,
    `${ended.length} drained${namesOf(ended)}`,
  ].join(', ');
}

function namesOf(routes: readonly GatewayRoute[]): string {
  if (routes.length === 0) return '';
  const more = routes.length > MAX_NAMED ? ', …' : '';
  return ` (${routes
    .slice(0, MAX_NAMED)
    .map(({ at }) => at)
    .join(', ')}${more})`;
}

/** The warnings about routes that have started. */
export function warningsOf(changes: ConfigChanges, host: string): readonly string[] {
  return [...warningsOfOpenRoutes(changes.started, host), ...warningsOfOtherPorts(portsOf(changes, changes.started))];
}

/** The addresses of MCP servers that the file did not have before. */
export function newAddressesIn(changes: ConfigChanges): readonly string[] {
  const known = [...changes.kept, ...changes.ended].map(({ policy }) => policy?.resource?.href);
  return clientAddressesOf(portsOf(changes, changes.started)).filter((address) => !known.includes(address));
}

/** The ports of a version, with only these of its routes. */
function portsOf({ ports }: ConfigChanges, routes: readonly GatewayRoute[]) {
  return ports.map(({ bind, routes: all }) => ({ bind, routes: all.filter((route) => routes.includes(route)) }));
}
