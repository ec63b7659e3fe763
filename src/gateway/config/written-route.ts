import type { McpMembers } from './backend-config.js';
import type { ConfigNode } from './config-node.js';
import type { WrittenRoute } from './gateway-config.js';
import { everyPolicy, mergePolicies, OF_BOTH, type Policies, type PolicyLevels, RULES } from './policy-levels.js';
import type { RuntimeConfig } from './runtime-section.js';

/**
 * Collects the values that a route is made of, from every place in the file.
 *
 * @param ofListener The policies that apply before a route is selected.
 */
export function writtenRoute(
  levels: PolicyLevels,
  ofListener: readonly Policies[],
  { members, sessionSeconds }: RuntimeConfig & { readonly members: McpMembers | undefined },
): WrittenRoute {
  const { authorization: _, mcpAuthorization: __, ...policies } = mergePolicies([...levels.all, ...ofListener]);
  const phases = [levels.ofRoute, levels.ofBackend];
  const rules = RULES.flatMap((name) => [...phases, ofListener].map((places) => everyPolicy(places, name)));
  // A policy that moves from the route to its backend may mean something else there.
  const ofBoth = OF_BOTH.map((name) => phases.map((places) => mergePolicies(places)[name]?.value ?? null));
  return {
    policies: valuesOf(policies),
    rules: rules.map((blocks) => blocks.map(({ value }) => value)),
    ofBoth,
    backend: members && valuesOf(members),
    sessionSeconds,
  };
}

function valuesOf(nodes: Readonly<Record<string, ConfigNode | undefined>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(nodes).map(([name, node]) => [name, node?.value]));
}
