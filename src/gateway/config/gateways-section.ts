import { GATEWAY, LISTENER } from '../schema/listener-keys.js';
import type { ConfigNode } from './config-node.js';
import type { FileParts } from './file-parts.js';
import type { BindConfig, ListenerConfig, RouteConfig } from './gateway-config.js';
import { type ListenerMembers, readListenerMembers } from './listener-members.js';
import type { Policies } from './policy-levels.js';
import type { RouteSurroundings } from './routes.js';
import { UNSUPPORTED_LISTENER_KEYS, UNSUPPORTED_POLICIES } from './unsupported-features.js';

const UNSUPPORTED = new Map([...UNSUPPORTED_LISTENER_KEYS, ...UNSUPPORTED_POLICIES]);

const NO_GATEWAYS =
  'has no port, since the file has no gateways: add gateways: { default: { port: 3000 } } at the top of the file';

/** A listener of a gateway, to which routes attach themselves. */
interface GatewayListener extends Omit<ListenerConfig, 'routes'> {
  /** The names by which routes refer to it: `default`, or `default/name`. */
  readonly names: readonly string[];
  readonly surroundings: RouteSurroundings;
  readonly routes: RouteConfig[];
}

/** The section `gateways`: ports, without their routes. */
export class Gateways {
  readonly #gateways: ReadonlyArray<Omit<BindConfig, 'listeners'> & { readonly listeners: readonly GatewayListener[] }>;

  constructor(node: ConfigNode | undefined, parts: FileParts) {
    this.#gateways = node?.children().map(([name, gateway]) => readGateway(name, gateway, parts)) ?? [];
  }

  /** True if routes that name no gateway have one. */
  get hasDefault(): boolean {
    return this.#gateways.some(({ at }) => at === 'gateways.default');
  }

  /**
   * Adds a route to the listeners that it names.
   *
   * @param node The route.
   * @param references Its member `gateways`.
   * @param read Reads the route for one listener. Returns undefined if `--ignore` leaves it out.
   */
  attach(
    node: ConfigNode,
    references: ConfigNode | undefined,
    read: (surroundings: RouteSurroundings) => RouteConfig | undefined,
  ): void {
    for (const listener of this.#named(node, references)) {
      const route = read(listener.surroundings);
      if (route !== undefined) listener.routes.push(route);
    }
  }

  /** The ports that have routes. */
  binds(): readonly BindConfig[] {
    return this.#gateways.map((gateway) => ({
      ...gateway,
      listeners: gateway.listeners.map(({ names: _, surroundings: __, ...listener }) => listener),
    }));
  }

  #named(node: ConfigNode, references: ConfigNode | undefined): ReadonlySet<GatewayListener> {
    if (references === undefined && !this.hasDefault)
      node.refuse(this.#gateways.length === 0 ? NO_GATEWAYS : 'must have gateways, since no gateway is called default');
    const names =
      references === undefined
        ? [undefined]
        : typeof references.value === 'string'
          ? [references]
          : references.someItems();
    const all = this.#gateways.flatMap(({ listeners }) => listeners);
    const found = names.flatMap((reference) => {
      const name = reference?.text() ?? 'default';
      const listeners = all.filter(({ names }) => names.includes(name));
      return listeners.length > 0
        ? listeners
        : (reference ?? node).refuse(`names the gateway ${JSON.stringify(name)}, which gateways does not have`);
    });
    return new Set(found);
  }
}

function readGateway(name: string, node: ConfigNode, parts: FileParts) {
  const { port, listeners, ...single } = node.members(GATEWAY, { unsupported: UNSUPPORTED });
  const [other] = Object.values(single);
  if (listeners && other) other.refuse('must be in each of the listeners, where there are any');
  const read = listeners?.someItems().map((listener, i) => readListener(name, listener, i, parts));
  return { port: port.port(), listeners: read ?? [createListener(node, [name], single, parts)], at: node.path };
}

function readListener(gateway: string, node: ConfigNode, index: number, parts: FileParts): GatewayListener {
  const { name, ...members } = node.members(LISTENER, { unsupported: UNSUPPORTED });
  return createListener(node, [`${gateway}/${name?.text() ?? `listener${index}`}`, gateway], members, parts);
}

function createListener(
  node: ConfigNode,
  names: readonly [string, ...string[]],
  { hostname, protocol, tls, ...own }: Policies & ListenerMembers,
  parts: FileParts,
): GatewayListener {
  const targeted = parts.policies.for('gateway', names[0]);
  const ofListener = parts.policies.ofListener(names[0], own);
  return {
    ...readListenerMembers(node, { hostname, protocol, tls } as never, parts.directory),
    names,
    surroundings: { ...parts, ofListener, targeted },
    routes: [],
    at: node.path,
  };
}
