import { NOT_BESIDE_TARGETS } from '../schema/misplaced-keys.js';
import { type ROUTE, ROUTE_BACKEND } from '../schema/route-keys.js';
import { MCP_SERVERS } from '../schema/target-keys.js';
import { type McpMembers, readMcpBackend } from './backend-config.js';
import type { ConfigNode } from './config-node.js';
import type { FileParts } from './file-parts.js';
import type { RouteConfig } from './gateway-config.js';
import { readHostname } from './hostnames.js';
import { mergePolicies, type Policies, type PolicyLevels, readPolicies, refuseTwice } from './policy-levels.js';
import { everyRequest, readRouteMatch } from './route-match.js';
import { readRoutePolicies } from './route-policies.js';
import { hasUnsupportedKey, UNSUPPORTED_BACKENDS } from './unsupported-features.js';
import { writtenRoute } from './written-route.js';

/** The listener of a route, and what it means for its routes. */
export interface RouteSurroundings extends FileParts {
  /** The policies that apply before a route is selected, the most specific first. */
  readonly ofListener: readonly Policies[];
  /** The policies of the section `policies` for the listener, the most specific first. */
  readonly targeted: readonly Policies[];
}

/** The members that a route has in every form of the file. */
type RouteMembers = { readonly [Key in keyof typeof ROUTE]?: ConfigNode };

/**
 * Reads a route. Undefined if `--ignore` leaves its backend out.
 *
 * @param index Its position in its list.
 */
export function readRoute(
  node: ConfigNode,
  members: RouteMembers,
  index: number,
  surroundings: RouteSurroundings,
): RouteConfig | undefined {
  const { name, namespace, ruleName, hostnames, matches, policies, backends } = members;
  for (const text of [namespace, ruleName]) text?.text();
  const own = readPolicies(policies, 'route');
  const selected = matches?.someItems().map(readRouteMatch) ?? [everyRequest(node.path)];
  const called = name?.text() ?? `route${index}`;
  const backend = backends && readRouteBackend(backends, surroundings);
  if (backends && backend === undefined) {
    surroundings.policies.leaveOut('route', called);
    return undefined;
  }
  return createRouteConfig(backend, {
    ...surroundings,
    node,
    name: called,
    label: name?.text(),
    hostnames: hostnames?.items().map(readHostname) ?? [],
    matches: selected,
    own,
  });
}

/** The backend of a route, as it is written. */
export interface WrittenBackend {
  readonly node: ConfigNode;
  readonly members: McpMembers;
  /** The policies beside the backend of the route. */
  readonly own: Policies;
  /** Those of its entry in the section `backends`. */
  readonly ofEntry: Policies;
  /** Those of the section `policies` for it, the most specific first. */
  readonly targeted: readonly Policies[];
}

function readRouteBackend(node: ConfigNode, { backends, policies }: FileParts): WrittenBackend | undefined {
  const only = node.onlyItem();
  const { mcp, backend, weight, policies: own } = only.members(ROUTE_BACKEND, { unsupported: UNSUPPORTED_BACKENDS });
  weight?.count();
  const read = readPolicies(own, 'backend');
  if (mcp && !backend) return { node: mcp, members: readMembers(mcp), own: read, ofEntry: {}, targeted: [] };
  if (backend && !mcp) {
    const named = backends.get(backend.text());
    if (named === undefined)
      return backend.refuse(`is ${JSON.stringify(backend.text())}, which is no name in backends`);
    if (named.mcp === undefined) return undefined;
    const targeted = policies.for('backend', backend.text());
    return { node: named.mcp, members: readMembers(named.mcp), own: read, ofEntry: named.policies, targeted };
  }
  return hasUnsupportedKey(only, UNSUPPORTED_BACKENDS) ? undefined : only.refuse('must have either mcp or backend');
}

function readMembers(mcp: ConfigNode): McpMembers {
  return mcp.members(MCP_SERVERS, { elsewhere: NOT_BESIDE_TARGETS });
}

interface RouteParts extends RouteSurroundings {
  readonly node: ConfigNode;
  readonly name: string;
  /** Left out if the file does not name the route. */
  readonly label?: string | undefined;
  readonly hostnames: RouteConfig['hostnames'];
  readonly matches: RouteConfig['matches'];
  /** The policies that the route itself has. */
  readonly own: Policies;
}

/**
 * Merges the policies of a route, and reads what they mean for it and its backend.
 *
 * @param backend Undefined if the route has none.
 */
export function createRouteConfig(backend: WrittenBackend | undefined, parts: RouteParts): RouteConfig {
  const { node, name, hostnames, matches, directory, ofListener } = parts;
  const levels = levelsOf(backend, parts);
  const merged = mergePolicies(levels.all);
  refuseTwice(mergePolicies(ofListener), merged);
  const read = readRoutePolicies(levels, { matches, ofListener, directory });
  const answersItself = read.requestRedirect !== undefined || read.directResponse !== undefined;
  if (backend === undefined && !answersItself) node.refuse('must have backends, requestRedirect or directResponse');
  const servers = backend && readMcpBackend(backend.node, backend.members, { ...parts, levels });
  const written = writtenRoute(levels, ofListener, { ...parts, members: backend?.members });
  const label = parts.label ?? (matches[0]?.path.path || name);
  const named = { name, label, ...(parts.label === undefined && { hasDefaultLabel: true as const }) };
  const described = { ...named, hostnames, matches, written, at: node.path };
  const unusedBackend = `${node.path}.${backend?.node === node ? 'targets' : 'backends'}`;
  return { ...described, ...read, ...(servers && (answersItself ? { unusedBackend } : { backend: servers })) };
}

/** As in agentgateway, policies within the route and its backend come before those of the section `policies`. */
function levelsOf(
  backend: WrittenBackend | undefined,
  { name, own, policies, targeted }: Pick<RouteParts, 'name' | 'own' | 'policies' | 'targeted'>,
): PolicyLevels {
  const { own: ofReference = {}, ofEntry = {}, targeted: forBackend = [] } = backend ?? {};
  const forRoute = policies.for('route', name);
  return {
    all: [ofReference, own, ofEntry, ...forRoute, ...forBackend, ...targeted],
    ofRoute: [own, ...forRoute, ...targeted],
    ofBackend: [ofReference, ofEntry, ...forBackend],
  };
}
