import type { ConfigNode } from './config-node.js';
import { POLICIES_OUT } from './stays-out.js';

/** agentgateway's policies about the connection to a target. */
export const TARGET_POLICIES = ['backendAuth', 'backendTLS', 'requestHeaderModifier'] as const;

/** Policies whose rules count together, from every place. */
const RULES = ['authorization', 'mcpAuthorization'] as const;

const LOGINS = ['mcpAuthentication', 'jwtAuth', 'apiKey'] as const;
const OF_RESPONSES = ['responseHeaderModifier', 'requestRedirect'] as const;

/** The policies of each place in the file. */
const PLACES = {
  route: [
    ...([
      'cors',
      ...LOGINS,
      'mcpScopes',
      ...RULES,
      'localRateLimit',
      'timeout',
      'retry',
      'urlRewrite',
      'directResponse',
    ] as const),
    ...OF_RESPONSES,
    ...TARGET_POLICIES,
  ],
  backend: [...RULES, ...OF_RESPONSES, ...TARGET_POLICIES],
  listener: ['cors', 'jwtAuth', 'apiKey', 'authorization'],
} as const;

/** The policies that routes may have. */
export const ROUTE_POLICIES: readonly string[] = PLACES.route;

/** The policies that listeners and gateways may have. */
export const LISTENER_POLICIES = PLACES.listener;

export type PolicyName = (typeof PLACES)['route'][number];

export type RulesName = (typeof RULES)[number];

/** Policies by their names, as they are written in one place, or merged from several. */
export type Policies = Readonly<Partial<Record<PolicyName, ConfigNode>>>;

/** Advice for names that belong elsewhere. */
const ELSEWHERE = new Map([
  ['mcpLimits', 'Write localRateLimit, with maxTokens, tokensPerFill, fillInterval and per.'],
]);

/** Reads the policies of one place in the file. */
export function readPolicies(node: ConfigNode | undefined, place: keyof typeof PLACES): Policies {
  const optional: readonly PolicyName[] = PLACES[place];
  return node?.members({ optional, staysOut: POLICIES_OUT, elsewhere: ELSEWHERE }) ?? {};
}

/** Reads the policies of a target. */
export function readTargetPolicies(node: ConfigNode | undefined): Policies {
  return node?.members({ optional: TARGET_POLICIES, staysOut: POLICIES_OUT }) ?? {};
}

/** Those policies of a route that are about connections to its targets. */
export function targetPoliciesOf(policies: Policies): Policies {
  const entries = Object.entries(policies).filter(([name]) => (TARGET_POLICIES as readonly string[]).includes(name));
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

/** The policies with this name of every place, from the listener to the backend: their rules count together. */
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
