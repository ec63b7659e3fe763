import type { BindConfig, ListenerConfig, RouteConfig } from './gateway-config.js';

/** A route, and where requests for it arrive. */
interface PlacedRoute {
  readonly route: RouteConfig;
  readonly listener: ListenerConfig;
  readonly bind: BindConfig;
}

/** Longer labels for routes that share one: with the host, and then with the port too. */
const LONGER: ReadonlyArray<(placed: PlacedRoute) => string> = [
  ({ route, listener }) => hostOf(route, listener),
  ({ route, listener, bind }) => `${hostOf(route, listener)}:${bind.port}`,
];

/**
 * Gives routes without a name that have the same path labels of their own: records, numbers and lists of one would count as those of the
 * other. A route on several listeners has the label of the first one.
 */
export function withOwnLabels(binds: readonly BindConfig[]): readonly BindConfig[] {
  const labels = ownLabelsOf(binds);
  const relabel = (route: RouteConfig): RouteConfig => ({ ...route, label: labels.get(route.at) ?? route.label });
  return binds.map((bind) => ({
    ...bind,
    listeners: bind.listeners.map((listener) => ({ ...listener, routes: listener.routes.map(relabel) })),
  }));
}

/** The label of each route, by its place in the file. */
function ownLabelsOf(binds: readonly BindConfig[]): ReadonlyMap<string, string> {
  const placed = new Map<string, PlacedRoute>();
  for (const bind of binds) {
    for (const listener of bind.listeners) {
      for (const route of listener.routes) if (!placed.has(route.at)) placed.set(route.at, { route, listener, bind });
    }
  }
  const labels = new Map([...placed].map(([at, { route }]) => [at, route.label]));
  for (const prefixOf of LONGER) {
    const shared = sharedIn(labels);
    for (const [at, each] of placed) {
      const { label, hasDefaultLabel } = each.route;
      if (hasDefaultLabel && shared.has(labels.get(at) ?? '')) labels.set(at, joined(prefixOf(each), label));
    }
  }
  return labels;
}

function sharedIn(labels: ReadonlyMap<string, string>): ReadonlySet<string> {
  const seen = new Set<string>();
  const all = [...labels.values()];
  return new Set(all.filter((label) => seen.has(label) || !seen.add(label)));
}

function joined(prefix: string, label: string): string {
  return prefix === '' || label.startsWith('/') ? `${prefix}${label}` : `${prefix}/${label}`;
}

/** Empty for a route of every host. */
function hostOf({ hostnames }: RouteConfig, { hostname }: ListenerConfig): string {
  const [first = hostname] = hostnames;
  return first === '*' ? '' : first;
}
