import type { Members } from '../../options/value-type.js';
import { BACKEND_POLICIES, LISTENER_POLICIES, ROUTE_POLICIES, TARGET_POLICIES } from '../schema/policy-keys.js';
import type { ConfigNode } from './config-node.js';
import { UNSUPPORTED_POLICIES } from './unsupported-features.js';

/** Policies of which a place may have several, whose rules count together. */
export const RULES = ['authorization', 'mcpAuthorization'] as const;

/** The policies of each place in the file. */
const PLACES = { route: ROUTE_POLICIES, backend: BACKEND_POLICIES, listener: LISTENER_POLICIES } as const;

export type PolicyName = keyof typeof ROUTE_POLICIES;

export type RulesName = (typeof RULES)[number];

/** Policies that a route and its backend may both have, as agentgateway's two phases do: that of the route comes first. */
export const OF_BOTH = ['requestHeaderModifier', 'responseHeaderModifier', 'requestRedirect'] as const;

/** Policies by their names, as they are written in one place, or merged from several. */
export type Policies = Readonly<Partial<Record<PolicyName, ConfigNode>>>;

/** The policies for a route, from every place in the file that has some: in each list, the most specific place first. */
export interface PolicyLevels {
  readonly all: readonly Policies[];
  /** Those that apply before a backend is selected. Only `authorization` and those of {@link OF_BOTH} are read from here. */
  readonly ofRoute: readonly Policies[];
  /** The same policies, as they apply to the requests for the backend. */
  readonly ofBackend: readonly Policies[];
}

/** Advice for names that belong elsewhere. */
const ELSEWHERE = new Map([
  ['mcpLimits', 'Write localRateLimit, with maxTokens, tokensPerFill, fillInterval and per.'],
]);

/** Reads the policies of one place in the file. */
export function readPolicies(node: ConfigNode | undefined, place: keyof typeof PLACES): Policies {
  return node?.members<Members>(PLACES[place], { unsupported: UNSUPPORTED_POLICIES, elsewhere: ELSEWHERE }) ?? {};
}

/** Reads the policies of a target. */
export function readTargetPolicies(node: ConfigNode | undefined): Policies {
  return node?.members(TARGET_POLICIES, { unsupported: UNSUPPORTED_POLICIES }) ?? {};
}

/** Those policies of a route that are about connections to its targets. */
export function targetPoliciesOf(policies: Policies): Policies {
  const entries = Object.entries(policies).filter(([name]) => Object.hasOwn(TARGET_POLICIES, name));
  return Object.fromEntries(entries);
}

/**
 * Merges the policies of several places as agentgateway does: that of the most specific place counts, as a whole.
 *
 * @param levels The most specific place first.
 */
export function mergePolicies(levels: readonly Policies[]): Policies {
  return Object.assign({}, ...[...levels].reverse());
}

/** Returns the policy with this name of the route, and then that of its backend. */
export function policiesOfBoth(
  { ofRoute, ofBackend }: PolicyLevels,
  name: (typeof OF_BOTH)[number],
): readonly ConfigNode[] {
  return [ofRoute, ofBackend].flatMap((levels) => mergePolicies(levels)[name] ?? []);
}

/** The policies with this name of all given places, the most specific one last: their rules count together. */
export function everyPolicy(levels: readonly Policies[], name: RulesName): readonly ConfigNode[] {
  return [...levels].reverse().flatMap((level) => level[name] ?? []);
}

/** True for a policy that may be in several places, whose rules count together. */
export function countTogether(name: PolicyName): boolean {
  return (RULES as readonly PolicyName[]).includes(name);
}

/** Refuses a policy that a listener and its route both have: agentgateway would apply both, one after the other. */
export function refuseTwice(ofListener: Policies, ofRoute: Policies): void {
  for (const [name, node] of Object.entries(ofRoute)) {
    const other = ofListener[name as PolicyName];
    if (other !== undefined && name !== 'authorization')
      node.refuse(`is also in ${other.path}, and would count there too: write it once`);
  }
}
