import type { McpMembers } from './backend-config.js';
import type { ConfigNode } from './config-node.js';
import type { WrittenRoute } from './gateway-config.js';
import { everyPolicy, mergePolicies, type Policies, RULES } from './policy-levels.js';
import type { RuntimeConfig } from './runtime-section.js';

/**
 * Collects the values that a route is made of, from every place in the file.
 *
 * @param levels The policies of each place, the most specific first.
 * @param backend The members of its backend.
 */
export function writtenRoute(
  levels: readonly Policies[],
  backend: McpMembers | undefined,
  { sessionSeconds }: RuntimeConfig,
): WrittenRoute {
  const { authorization: _, mcpAuthorization: __, ...policies } = mergePolicies(levels);
  return {
    policies: valuesOf(policies),
    rules: RULES.map((name) => everyPolicy(levels, name).map(({ value }) => value)),
    backend: backend && valuesOf(backend),
    sessionSeconds,
  };
}

function valuesOf(nodes: Readonly<Record<string, ConfigNode | undefined>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(nodes).map(([name, node]) => [name, node?.value]));
}
