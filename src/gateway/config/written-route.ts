import type { McpMembers } from './backend-config.js';
import type { ConfigNode } from './config-node.js';
import type { WrittenRoute } from './gateway-config.js';
import { everyPolicy, mergePolicies, type Policies, RULES } from './policy-levels.js';
import type { RuntimeConfig } from './runtime-section.js';

/**
 * Collects the values that a route is made of, from every place in the file.
 *
 * @param levels The policies of each place, the most specific first.
 * @param ofListener Those that apply before a route is selected.
 */
export function writtenRoute(
  levels: readonly Policies[],
  ofListener: readonly Policies[],
  { members, sessionSeconds }: RuntimeConfig & { readonly members: McpMembers | undefined },
): WrittenRoute {
  const { authorization: _, mcpAuthorization: __, ...policies } = mergePolicies([...levels, ...ofListener]);
  const rules = RULES.flatMap((name) => [everyPolicy(levels, name), everyPolicy(ofListener, name)]);
  return {
    policies: valuesOf(policies),
    rules: rules.map((blocks) => blocks.map(({ value }) => value)),
    backend: members && valuesOf(members),
    sessionSeconds,
  };
}

function valuesOf(nodes: Readonly<Record<string, ConfigNode | undefined>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(nodes).map(([name, node]) => [name, node?.value]));
}
