import { OTHER } from '../../telemetry/listed-names.js';
import type { GatewayRoute } from '../route.js';

/** The routes of the gateway, including those that answer their last calls. */
export interface MetricsSource {
  allRoutes(): readonly GatewayRoute[];
}

/** Stands for a label that a call does not have, as in agentgateway. */
export const NO_LABEL = 'unknown';

/** The time for which the routes that were read count. After a reload, a name may be that of another route. */
const REREAD_MS = 1_000;

/** The names of routes and targets for the labels of calls. They come from the file, so their number is bounded. */
export class ServedRoutes {
  readonly #source: MetricsSource;
  readonly #targets = new Map<string, ReadonlySet<string>>();
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(source: MetricsSource) {
    this.#source = source;
  }

  /** Reads the routes of the file that is in use. */
  read(): readonly GatewayRoute[] {
    const routes = this.#source.allRoutes();
    this.#readAt = performance.now();
    this.#targets.clear();
    for (const { label, targets } of routes)
      this.#targets.set(label, new Set([...(this.#targets.get(label) ?? []), ...targets]));
    return routes;
  }

  /** Returns the labels of a route and of a target of it. The name of a route's only target is added, since calls do not have it. */
  labelsOf(route: string, target: string | undefined): { readonly route: string; readonly server: string } {
    // A reload may just have renamed the route.
    if (!this.#targets.has(route) || performance.now() - this.#readAt > REREAD_MS) this.read();
    const targets = this.#targets.get(route);
    if (targets === undefined) return { route: OTHER, server: NO_LABEL };
    if (target === undefined) return { route, server: onlyOf(targets) ?? NO_LABEL };
    return { route, server: targets.has(target) ? target : OTHER };
  }
}

function onlyOf(targets: ReadonlySet<string>): string | undefined {
  if (targets.size !== 1) return undefined;
  const [only] = targets;
  return only;
}
