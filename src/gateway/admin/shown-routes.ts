import { randomUUID } from 'node:crypto';
import type { AdminRoute } from '../../admin/admin-source.js';
import { statsOf, targetsOf } from '../../admin/backend-route.js';
import { Readiness } from '../../admin/readiness.js';
import { factsOf } from '../../bridge/backend-facts.js';
import { SILENT } from '../../core/logger.js';
import { requiresToken } from '../../policy/modes.js';
import type { DevIssuer } from '../dev-issuer/dev-issuer.js';
import type { OpenPort } from '../gateway.js';
import type { GatewayRoute } from '../route.js';
import type { ServedListener } from '../routing.js';
import { routeAddress } from './route-address.js';

type Checks = GatewayRoute['checks'];

/** The routes of the file as the page shows them. */
export class ShownRoutes {
  readonly #ports: () => readonly OpenPort[];
  readonly #devIssuer: Pick<DevIssuer, 'issueToken'> | undefined;
  /** A route that stays the same in a new version of the file keeps its checks, and their last results. */
  readonly #readiness = new WeakMap<Checks, Readiness>();
  /** It also keeps its id: its place in the file may become that of another route, which must not get its calls. */
  readonly #ids = new WeakMap<Checks, string>();

  constructor(ports: () => readonly OpenPort[], devIssuer: Pick<DevIssuer, 'issueToken'> | undefined) {
    this.#ports = ports;
    this.#devIssuer = devIssuer;
  }

  all(): readonly AdminRoute[] {
    return this.#ports().flatMap((port) =>
      port.listeners.flatMap((listener) => listener.routes.map((route) => this.#show(route, listener, port))),
    );
  }

  #show(route: GatewayRoute, listener: ServedListener, port: OpenPort): AdminRoute {
    const { label: name, policy, backend, checks, revocation } = route;
    const { resource } = policy ?? {};
    const url = resource?.tenants === undefined ? resource?.href : undefined;
    const devIssuer = this.#devIssuer;
    return {
      id: this.#idOf(checks),
      name,
      url,
      mode: policy?.modeName,
      authenticates: policy !== undefined && requiresToken(policy.modeName),
      targets: backend === undefined ? [] : targetsOf(backend, route.targets),
      problems: () => this.#readinessOf(checks).problems(),
      stats: () => statsOf(backend),
      sessions: () => (backend && factsOf(backend)?.sessions()) ?? [],
      revocation,
      doctorTarget: url === undefined ? undefined : { url, policy },
      callAddress: routeAddress(route, listener, port),
      developmentToken:
        devIssuer === undefined || url === undefined || route.login !== 'mcpAuthentication'
          ? undefined
          : () => devIssuer.issueToken(url),
    };
  }

  #idOf(checks: Checks): string {
    const id = this.#ids.get(checks) ?? randomUUID();
    this.#ids.set(checks, id);
    return id;
  }

  #readinessOf(checks: Checks): Readiness {
    const known = this.#readiness.get(checks);
    if (known !== undefined) return known;
    const readiness = new Readiness(() => checks, SILENT);
    this.#readiness.set(checks, readiness);
    return readiness;
  }
}
