import { JOINED_TABLE } from '../../bridge/joined-options.js';
import { createChecks } from '../../options/checks.js';
import { TARGET } from '../schema/target-keys.js';
import { atPlace } from '../startup-error.js';
import type { ConfigNode } from './config-node.js';
import { refuseContradictions } from './contradictions.js';
import { refuseOtherOptions } from './options-for-targets.js';
import {
  mergePolicies,
  type Policies,
  type PolicyLevels,
  readTargetPolicies,
  targetPoliciesOf,
} from './policy-levels.js';
import { type RemoteTargetConfig, readRemoteTarget } from './remote-target.js';
import type { RuntimeConfig } from './runtime-section.js';
import { readStdioTarget, type StdioTarget } from './stdio-target.js';
import { readFileName } from './text-source.js';
import { hasUnsupportedKey, ignorableBeside, UNSUPPORTED_TARGETS } from './unsupported-features.js';

/** The MCP servers of a route. */
export interface McpBackendConfig {
  readonly targets: readonly TargetConfig[];
  /** Options for all targets together, under their own names. The backend checks them. */
  readonly options: Readonly<Record<string, unknown>>;
  /** True if the backend reads the messages of its targets, as it must for several of them. */
  readonly isJoined: boolean;
  /** The place of a `serverInfo` that clients do not see, because the only target has its own. */
  readonly unusedServerInfo?: string;
  /** The time after which an unused session ends is that of `config.mcp.sessionTtl`. */
  readonly hasSessionTtl?: true;
  readonly at: string;
}

export interface TargetConfig {
  readonly name: string | undefined;
  readonly server: StdioTarget | RemoteTargetConfig;
  readonly at: string;
}

/** The members of the section `mcp` or of a backend that describe its servers. */
export type McpMembers = Readonly<Record<string, ConfigNode | undefined> & { targets: ConfigNode }>;

interface BackendSurroundings extends RuntimeConfig {
  readonly directory: string;
  /** The policies of the route. */
  readonly levels: PolicyLevels;
}

/** Reads the servers of a route. */
export function readMcpBackend(
  node: ConfigNode,
  members: McpMembers,
  surroundings: BackendSurroundings,
): McpBackendConfig {
  const { targets } = members;
  const items = targets.someItems();
  const unsupported = ignorableBeside(['stdio', 'mcp'], items, UNSUPPORTED_TARGETS);
  const read = items.flatMap((target) => readTarget(target, unsupported, surroundings) ?? []);
  const policies = mergePolicies(surroundings.levels.all);
  refuseUnusedPolicies(read, policies);
  if (read.length > 1) requireNames(targets, read);
  const options = readOptions(members, surroundings);
  const reason = reasonToJoin(members);
  const isJoined = read.length > 1 || reason !== undefined;
  refuseOtherOptions(members, { targets: read, reason });
  refuseContradictions(members, read, policies, isJoined);
  const unusedServerInfo = read.length > 1 || isSeen(reason) ? undefined : members.serverInfo?.path;
  const idleTimes = [members, ...read.map(({ server }) => server.options)];
  const hasSessionTtl =
    surroundings.sessionSeconds !== undefined && idleTimes.every((each) => each.idleTimeoutSeconds === undefined);
  return {
    targets: read,
    options: isJoined ? options : withoutKeysOfSeveral(options, node.path),
    isJoined,
    ...(unusedServerInfo !== undefined && { unusedServerInfo }),
    ...(hasSessionTtl && { hasSessionTtl }),
    at: node.path,
  };
}

/** Leaves out the keys that mean something only where the messages of targets are read. */
function withoutKeysOfSeveral(options: Readonly<Record<string, unknown>>, at: string): McpBackendConfig['options'] {
  const { prefixMode: _, failureMode: __, pin: ___, serverInfo, ...others } = options;
  // The others are words, which are checked already.
  const { read, default: usual } = JOINED_TABLE.serverInfo;
  atPlace(at, () => read(createChecks('mcpBackend()'), serverInfo ?? usual, 'serverInfo'));
  return others;
}

/** Options that let only pages of this machine call a backend, on every address. */
const LOCAL_PAGES = { allowedHosts: ['localhost', '127.0.0.1', '[::1]'] };

function readOptions(members: McpMembers, { sessionSeconds, directory }: BackendSurroundings): Record<string, unknown> {
  const { targets: _, statefulMode, dnsRebindingProtection, ...written } = members;
  const { prefixMode, failureMode, pin } = written;
  prefixMode?.word(['conditional', 'always', 'never']);
  failureMode?.word(['failClosed', 'failOpen']);
  const pinned = pin?.option();
  const options = Object.entries(written).map(([name, option]) => [name, option?.option()] as const);
  return {
    ...(sessionSeconds !== undefined && { idleTimeoutSeconds: sessionSeconds }),
    ...(dnsRebindingProtection?.flag() && LOCAL_PAGES),
    ...Object.fromEntries(options),
    ...(pin && typeof pinned === 'string' && { pin: readFileName(pin, directory).file }),
    ...(statefulMode?.word(['stateful', 'stateless']) === 'stateless' && { sessions: false }),
  };
}

/** Returns undefined for a target that `--ignore` leaves out. */
function readTarget(
  node: ConfigNode,
  unsupported: typeof UNSUPPORTED_TARGETS,
  { levels, directory }: BackendSurroundings,
): TargetConfig | undefined {
  const { name, stdio, mcp: remote, policies } = node.members(TARGET, { unsupported });
  const ofTarget = readTargetPolicies(policies);
  const called = { name: name?.text(), at: node.path };
  if (remote && !stdio) {
    const { requestHeaderModifier: ofRoute } = mergePolicies(levels.ofRoute);
    const { requestHeaderModifier: ofBackend } = mergePolicies([ofTarget, ...levels.ofBackend]);
    const all = mergePolicies([ofTarget, ...levels.all]);
    const modifiers = [ofRoute, ofBackend].filter((each) => each !== undefined);
    return { ...called, server: readRemoteTarget(remote, { ...all, modifiers }, directory) };
  }
  if (stdio && !remote) {
    refuseConnectionPolicies(ofTarget);
    return { ...called, server: readStdioTarget(stdio, directory) };
  }
  return hasUnsupportedKey(node, UNSUPPORTED_TARGETS) ? undefined : node.refuse('must have either stdio or mcp');
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

/** Several targets need names. */
function requireNames(node: ConfigNode, targets: readonly TargetConfig[]): void {
  const names = new Set<string>();
  for (const { name, at } of targets) {
    if (name === undefined) node.refuse(`has several items, so each needs a name, but ${at} has none`);
    if (names.has(name)) node.refuse(`has two items with the name ${JSON.stringify(name)}`);
    names.add(name);
  }
}

/** The key for which the messages of an only target are read. With the defaults, they pass as they are. */
function reasonToJoin({ pin, prefixMode, statefulMode }: McpMembers) {
  if (pin !== undefined && pin.option() !== false) return 'pin';
  if (prefixMode?.value === 'always') return 'prefixMode: always';
  return statefulMode?.value === 'stateless' ? 'statefulMode: stateless' : undefined;
}

/** True if clients see `serverInfo` in place of the name of an only target. */
function isSeen(reason: ReturnType<typeof reasonToJoin>): boolean {
  return reason === 'pin' || reason === 'prefixMode: always';
}
