import {
  BACKEND_TARGET,
  GATEWAY_TARGET,
  ONLY_GATEWAY,
  PHASES,
  POLICY_TARGET,
  ROUTE_TARGET,
  TARGETED_POLICY,
} from '../schema/file-keys.js';
import { LISTENER_POLICIES, ROUTE_POLICIES } from '../schema/policy-keys.js';
import type { ConfigNode } from './config-node.js';
import { countTogether, type Policies, type PolicyName, readPolicies, refuseTwice } from './policy-levels.js';
import { hasUnsupportedKey, UNSUPPORTED_POLICIES } from './unsupported-features.js';

/** A policy of the section `policies`, with the name of what it is for. */
interface TargetedPolicy {
  readonly kind: 'gateway' | 'route' | 'backend';
  /** Undefined for every listener. */
  readonly name: string | undefined;
  /** `gateway` for a policy that applies before a route is selected. */
  readonly phase: 'gateway' | 'route';
  readonly policies: Policies;
  readonly at: ConfigNode;
}

/** The section `policies`. */
export class PolicyTargets {
  readonly #policies: readonly TargetedPolicy[];
  readonly #used = new Set<TargetedPolicy>();

  constructor(node: ConfigNode | undefined) {
    this.#policies = node?.items().flatMap((item) => readTargetedPolicy(item) ?? []) ?? [];
    this.#policies.forEach(refuseSecond);
  }

  /** The policies for a thing with this name. */
  for(
    kind: TargetedPolicy['kind'],
    name: string | undefined,
    phase: TargetedPolicy['phase'] = 'route',
  ): readonly Policies[] {
    const found = this.#policies.filter(
      (policy) => policy.kind === kind && policy.phase === phase && (policy.name === undefined || policy.name === name),
    );
    for (const policy of found) this.#used.add(policy);
    // A policy for one listener comes before one for all.
    return [...found]
      .sort((a, b) => Number(a.name === undefined) - Number(b.name === undefined))
      .map(({ policies }) => policies);
  }

  /** The policies of a listener before a route is selected, with its own: the most specific first. */
  ofListener(name: string, own: Policies): readonly Policies[] {
    const others = this.for('gateway', name, 'gateway');
    for (const policies of others) refuseTwice(own, policies);
    return [own, ...others];
  }

  /** Notes that the file has a thing with this name, which `--ignore` leaves out: its policies have nothing to protect. */
  leaveOut(kind: 'route' | 'backend', name: string): void {
    this.for(kind, name);
  }

  /** Refuses a policy whose target the file does not have: it would protect nothing. */
  refuseUnused(): void {
    const unused = this.#policies.find((policy) => !this.#used.has(policy));
    unused?.at.refuse(`has a target that the file does not have: ${unused.kind} ${JSON.stringify(unused.name)}`);
  }
}

/** Returns undefined for a policy that `--ignore` leaves out. */
function readTargetedPolicy(node: ConfigNode): TargetedPolicy | undefined {
  const { name, target, phase, policy } = node.members(TARGETED_POLICY);
  name.mapping();
  const written = phase?.word(PHASES) ?? 'route';
  const thing = readTarget(target);
  if (written === 'gateway') requireGatewayPhase(phase as ConfigNode, thing, policy);
  const policies = readPolicies(policy, 'route');
  const count = Object.keys(policies).length;
  if (count === 0 && hasUnsupportedKey(policy, UNSUPPORTED_POLICIES)) return undefined;
  if (count !== 1) policy.refuse('must have exactly one policy');
  return { ...thing, phase: written, policies, at: node };
}

/** Refuses a policy that would have no effect before a route is selected. agentgateway only warns. */
function requireGatewayPhase(phase: ConfigNode, { kind }: Pick<TargetedPolicy, 'kind'>, policy: ConfigNode): void {
  if (kind !== 'gateway') phase.refuse(`is "gateway", when no ${kind} is selected yet: write phase: route`);
  const early = Object.keys(LISTENER_POLICIES);
  const late = Object.keys(policy.mapping()).find((name) => name in ROUTE_POLICIES && !early.includes(name));
  if (late === undefined) return;
  phase.refuse(`is "gateway", when ${late} has no effect (only ${early.join(', ')} have): write phase: route`);
}

function readTarget(node: ConfigNode): Pick<TargetedPolicy, 'kind' | 'name'> {
  const { gateway, route, backend } = node.members(POLICY_TARGET, { unsupportedNames: ['listenerSet'] });
  if ([gateway, route, backend].filter((each) => each !== undefined).length !== 1)
    return node.refuse('must have exactly one of gateway, route and backend');
  if (gateway) {
    const { gatewayName, gatewayNamespace, listenerName } = gateway.members(GATEWAY_TARGET, {
      unsupportedNames: ['port'],
    });
    requireOnlyGateway(gatewayName);
    gatewayNamespace?.text();
    return { kind: 'gateway', name: listenerName?.text() };
  }
  if (route) {
    const { name, namespace } = route.members(ROUTE_TARGET, { unsupportedNames: ['ruleName', 'kind'] });
    namespace?.text();
    return { kind: 'route', name: name.text() };
  }
  const named = (backend as ConfigNode).members(BACKEND_TARGET, { unsupportedNames: ['service'] }).backend;
  const { name, namespace } = named.members(ROUTE_TARGET, { unsupportedNames: ['section'] });
  namespace?.text();
  return { kind: 'backend', name: name.text() };
}

/** Refuses a policy if an earlier one has the same target: only one of them would count. */
function refuseSecond(policy: TargetedPolicy, index: number, all: readonly TargetedPolicy[]): void {
  const [name] = Object.keys(policy.policies) as [PolicyName];
  const first = all.slice(0, index).find((other) => isSameTarget(other, policy) && other.policies[name] !== undefined);
  if (first !== undefined && !countTogether(name))
    policy.at.refuse(`has ${name} for the same target as ${first.at.path}: write it once`);
}

function isSameTarget(one: TargetedPolicy, other: TargetedPolicy): boolean {
  return one.kind === other.kind && one.name === other.name && one.phase === other.phase;
}

/** agentgateway calls the gateway of a file by this name, whatever the section `gateways` has. A policy for another one has no effect there. */
function requireOnlyGateway(node: ConfigNode | undefined): void {
  if (node && node.text() !== ONLY_GATEWAY)
    node.refuse('must be "default": write the name of a gateway, or GATEWAY/LISTENER, as listenerName');
}
