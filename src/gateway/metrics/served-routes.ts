import { OTHER } from '../../telemetry/listed-names.js';
import type { GatewayRoute } from '../route.js';

/** The routes of the gateway, also those that answer their last calls. */
export interface MetricsSource {
  allRoutes(): readonly GatewayRoute[];
}

/** Stands for a label that a call does not have, as in agentgateway. */
export const NO_LABEL = 'unknown';

/** The time between two readings of the routes because of a name that is not known. */
const REREAD_MS = 1_000;

/** The names of routes and targets, as the labels of calls need them. The file has them, so that they are bounded. */
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

  /** Returns the labels of a route and of a target of it. The only target of a route has its name although calls do not say it. */
  labelsOf(route: string, target: string | undefined): { readonly route: string; readonly server: string } {
    if (!this.#targets.has(route) && performance.now() - this.#readAt > REREAD_MS) this.read();
    const targets = this.#targets.get(route);
    if (targets === undefined) return { route: OTHER, server: NO_LABEL };
    const [only] = targets.size === 1 ? targets : [];
    const server = target === undefined || targets.has(target) ? (target ?? only ?? NO_LABEL) : OTHER;
    return { route, server };
  }
}
