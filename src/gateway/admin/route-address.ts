import { isIPv6 } from 'node:net';
import type { AdminRoute, CallAddress } from '../../admin/admin-source.js';
import { tokenPlaceOf } from '../../policy/resolve-location.js';
import { createHostTable } from '../config/hostnames.js';
import { matchesPath } from '../config/path-match.js';
import type { OpenPort } from '../gateway.js';
import type { GatewayRoute } from '../route.js';
import type { ServedListener } from '../routing.js';

/**
 * Returns the address at which this process can call the tools of a route. Undefined if the port is closed, or if requests need more than a
 * path and a host to reach the route: a header, a query parameter, a client certificate, or a host name of which the file has only a pattern.
 */
export function routeAddress(
  route: GatewayRoute,
  { config }: ServedListener,
  { address }: Pick<OpenPort, 'address'>,
): AdminRoute['callAddress'] {
  if (address === undefined || !route.hasBackend || config.tls?.root !== undefined) return undefined;
  const path = pathOf(route);
  const local = localForm(address);
  const host = hostOf(route, config.hostname, local);
  if (path === undefined || host === undefined) return undefined;
  const scheme = config.tls === undefined ? 'http' : 'https';
  const call: CallAddress = { url: `${scheme}://${local}${path}`, host, credential: tokenPlaceOf(route.policy) };
  return () => call;
}

/** Returns the path of the resource if the route matches it; otherwise the first path that needs no header or query parameter. */
function pathOf({ matches, policy }: GatewayRoute): string | undefined {
  const plain = matches.filter(
    ({ method = 'POST', headers, query }) => method === 'POST' && headers.length === 0 && query.length === 0,
  );
  const wanted = policy?.resource?.tenants === undefined ? policy?.resource?.pathname : undefined;
  if (wanted !== undefined && plain.some(({ path }) => matchesPath(path, wanted))) return wanted;
  const own = plain.find(({ path }) => path.kind !== 'regex' && !path.path.startsWith('/.well-known/'))?.path.path;
  return own === '' ? DEFAULT_PATH : own;
}

/** The path to call at a route that takes every path. */
const DEFAULT_PATH = '/mcp';

function hostOf({ hostnames, policy }: GatewayRoute, ofListener: string, local: string): string | undefined {
  const isOfListener = createHostTable([[ofListener, true]]);
  const isOfRoute = createHostTable((hostnames.length === 0 ? ['*'] : hostnames).map((name) => [name, true]));
  const names = [policy?.resource?.host, ...hostnames, ofListener, local];
  return names.find(
    (name) => name !== undefined && !name.includes('*') && isOfListener(name).length > 0 && isOfRoute(name).length > 0,
  );
}

/** The address as this machine itself reaches it: `0.0.0.0` and `::` stand for every address. */
function localForm(address: string): string {
  const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(address) ?? [];
  if (host === '0.0.0.0') return `127.0.0.1:${port}`;
  const bare = host.replace(/^\[|\]$/g, '');
  return isIPv6(bare) && /^[0:]+$/.test(bare) ? `[::1]:${port}` : address;
}
