import { MCP_SECTION } from '../schema/file-keys.js';
import { NOT_BESIDE_TARGETS } from '../schema/misplaced-keys.js';
import type { ConfigNode } from './config-node.js';
import type { FileParts } from './file-parts.js';
import type { BindConfig, RouteConfig } from './gateway-config.js';
import type { Gateways } from './gateways-section.js';
import { readPolicies } from './policy-levels.js';
import { everyRequest, type RouteMatch } from './route-match.js';
import { createRouteConfig, type RouteSurroundings } from './routes.js';

/**
 * Reads the section `mcp`: one route, on a port of its own or on gateways.
 *
 * @returns The port, if it has its own.
 */
export function readMcpSection(node: ConfigNode, parts: FileParts, gateways: Gateways): readonly BindConfig[] {
  const {
    port,
    gateways: references,
    policies,
    ...members
  } = node.members(MCP_SECTION, { elsewhere: NOT_BESIDE_TARGETS });
  const own = readPolicies(policies, 'route');
  const routeFor = (matches: readonly RouteMatch[], surroundings: RouteSurroundings): RouteConfig => {
    const backend = { node, members, own: {}, ofEntry: {}, targeted: [] };
    return createRouteConfig(backend, { ...surroundings, node, name: 'default', hostnames: [], matches, own });
  };
  if (references || (port === undefined && gateways.hasDefault)) {
    port?.refuse('is not supported where there are gateways: they have ports');
    // The documents for clients have paths of their own, which are served without a match.
    const matches = [{ ...everyRequest(node.path), path: { kind: 'pathPrefix', path: '/mcp' } as const }];
    gateways.attach(node, references, (surroundings) => routeFor(matches, surroundings));
    return [];
  }
  const ofListener = parts.policies.ofListener('mcp', {});
  const surroundings = { ...parts, ofListener, targeted: parts.policies.for('gateway', 'mcp') };
  const route = routeFor([everyRequest(node.path)], surroundings);
  const listener = { hostname: '*', routes: [route], at: node.path };
  return [{ port: port?.port() ?? MCP_SECTION.port.default, listeners: [listener], at: node.path }];
}
