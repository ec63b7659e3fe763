import type { ConfigNode } from './config-node.js';
import { mergePolicies, type Policies, readTargetPolicies, targetPoliciesOf } from './policy-levels.js';
import { type RemoteTarget, readRemoteTarget } from './remote-target.js';
import type { RuntimeConfig } from './runtime-section.js';
import { TARGETS_OUT } from './stays-out.js';
import { readStdioTarget, type StdioTarget } from './stdio-target.js';

/** The MCP servers of a route. */
export interface McpBackendConfig extends RuntimeConfig {
  readonly targets: readonly TargetConfig[];
  /** True if only loopback names are allowed as Host and Origin, on every address. */
  readonly isForLocalPages: boolean;
  readonly at: string;
}

export interface TargetConfig {
  readonly name: string | undefined;
  readonly server: StdioTarget | RemoteTarget;
}

/** The options beside `targets`, in the section `mcp` and in a backend. */
export const MCP_OPTIONS = ['statefulMode', 'prefixMode', 'failureMode', 'dnsRebindingProtection'] as const;

/** The members of the section `mcp` or of a backend that describe its servers. */
export type McpMembers = Readonly<{ targets: ConfigNode } & Partial<Record<(typeof MCP_OPTIONS)[number], ConfigNode>>>;

interface BackendSurroundings extends RuntimeConfig {
  readonly directory: string;
  /** The merged policies of the route. */
  readonly policies: Policies;
}

/** Reads the servers of a route. */
export function readMcpBackend(
  node: ConfigNode,
  members: McpMembers,
  { policies, directory, sessionSeconds }: BackendSurroundings,
): McpBackendConfig {
  const { targets, statefulMode, prefixMode, failureMode, dnsRebindingProtection } = members;
  statefulMode?.word(['stateful']);
  prefixMode?.word(['conditional', 'never']);
  failureMode?.word(['failClosed', 'failOpen']);
  const read = targets.someItems().flatMap((target) => readTarget(target, policies, directory) ?? []);
  if (read.length === 0) targets.refuse('has no target left without those that --ignore leaves out');
  if (read.length > 1) targets.refuse(`must have exactly one item, but has ${read.length}`);
  refuseUnusedPolicies(read, policies);
  return {
    targets: read,
    isForLocalPages: dnsRebindingProtection?.flag() ?? false,
    ...(sessionSeconds !== undefined && { sessionSeconds }),
    at: node.path,
  };
}

/** Returns undefined for a target that `--ignore` leaves out. */
function readTarget(node: ConfigNode, ofRoute: Policies, directory: string): TargetConfig | undefined {
  const kinds = { optional: ['name', 'stdio', 'mcp', 'policies'], staysOut: TARGETS_OUT } as const;
  const { name, stdio, mcp: remote, policies } = node.members(kinds);
  const ofTarget = readTargetPolicies(policies);
  const called = { name: name?.text() };
  if (remote && !stdio) {
    const all = mergePolicies([ofTarget, targetPoliciesOf(ofRoute)]);
    return { ...called, server: readRemoteTarget(remote, all, directory) };
  }
  if (stdio && !remote) {
    refuseConnectionPolicies(ofTarget);
    return { ...called, server: readStdioTarget(stdio, directory) };
  }
  return [...TARGETS_OUT.keys()].some((kind) => kind in node.mapping())
    ? undefined
    : node.refuse('must have either stdio or mcp');
}

function refuseConnectionPolicies(policies: Policies): void {
  for (const policy of Object.values(policies)) policy.refuse('is about a connection, and a stdio target has none');
}

/** Refuses a secret or certificate of the route that no target gets. */
function refuseUnusedPolicies(targets: readonly TargetConfig[], policies: Policies): void {
  if (targets.some(({ server }) => 'url' in server)) return;
  const { requestHeaderModifier: _, ...ofConnections } = targetPoliciesOf(policies);
  refuseConnectionPolicies(ofConnections);
}
