import type { ConfigNode } from './config-node.js';
import type { Policies } from './policy-levels.js';

type Members = Readonly<Record<string, ConfigNode | undefined>>;
type Targets = ReadonlyArray<{
  readonly server: { readonly options: Readonly<Record<string, unknown>>; readonly at: string };
}>;

/** The options that limit the time of an answer, as `backendRequestTimeout` of the policy `timeout` does. */
const TIMES_TO_ANSWER = ['requestTimeoutSeconds', 'responseTimeoutSeconds'];

/** Refuses what is written in two places of a backend, of which only one could count. */
export function refuseContradictions(
  members: Members,
  targets: Targets,
  { timeout }: Policies,
  isJoined: boolean,
): void {
  const local = members.dnsRebindingProtection?.flag() ? members.dnsRebindingProtection : undefined;
  const limit = timeout && 'backendRequestTimeout' in timeout.mapping() ? timeout : undefined;
  refuseWith(local, ['allowedHosts'], members, targets);
  // Of several targets, each may have a shorter time of its own.
  refuseWith(limit, TIMES_TO_ANSWER, members, isJoined ? [] : targets);
  for (const { server } of targets) {
    for (const name of Object.keys(server.options)) members[name]?.refuse(`is also in ${server.at}: write it once`);
  }
}

/** Refuses `node` beside options of these names. */
function refuseWith(node: ConfigNode | undefined, names: readonly string[], members: Members, targets: Targets): void {
  if (node === undefined) return;
  const besideTargets = names.flatMap((name) => members[name]?.path ?? []);
  const inTargets = targets.flatMap(({ server: { options, at } }) =>
    names.filter((name) => name in options).map((name) => `${at}.${name}`),
  );
  const [other] = [...besideTargets, ...inTargets];
  if (other !== undefined) node.refuse(`contradicts ${other}: remove one of them`);
}
