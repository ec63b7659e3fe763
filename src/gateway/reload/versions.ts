import type { RequestListener } from 'node:http';
import type { Logger } from '../../index.js';
import type { Store } from '../../store/store.js';
import type { GatewayConfig } from '../config/gateway-config.js';
import { timesOf } from '../config/process-settings.js';
import type { InputFiles } from '../input-files.js';
import type { GatewayRoute } from '../route.js';
import { type ConfigVersion, createConfigVersion, type VersionPort } from './config-version.js';
import { type ClosingPorts, Ports, type PreparedPorts } from './ports.js';

/** A version of the file that can be used. */
export interface PreparedConfig {
  /**
   * Opens new ports, serves this version, and ends what only the version before has: its calls may finish first.
   *
   * @throws {StartupError} If a port cannot be opened. Then the version before stays in use.
   */
  use(host: string): Promise<ConfigChanges>;
}

/** The differences between two versions of the file. */
export interface ConfigChanges {
  readonly kept: readonly GatewayRoute[];
  readonly started: readonly GatewayRoute[];
  readonly ended: readonly GatewayRoute[];
  /** Those of the new version, with their routes. */
  readonly ports: readonly VersionPort[];
  /** Addresses of ports. */
  readonly opened: readonly string[];
  readonly closed: readonly string[];
}

interface VersionsInputs {
  readonly logger: Logger;
  /** Creates the function that answers the requests of a port. */
  handlerFor(port: VersionPort, config: GatewayConfig): RequestListener;
  /** True once the process is shutting down. */
  isEnding(): boolean;
  /** The state that replicas share. It stays the same in all versions. */
  readonly store?: Store | undefined;
}

interface UseParts {
  readonly previous: ConfigVersion | undefined;
  readonly host: string;
}

/** The versions of the configuration file: the one in use, and earlier ones whose calls are not finished. */
export class Versions {
  readonly #inputs: VersionsInputs;
  readonly #ports: Ports;
  /** The last one that was prepared at start, or used. */
  #current: ConfigVersion | undefined;
  /** Routes that answer their last calls. */
  readonly #ending = new Set<GatewayRoute>();
  #isClosed = false;

  constructor(inputs: VersionsInputs) {
    this.#inputs = inputs;
    this.#ports = new Ports(inputs.logger, inputs.isEnding);
  }

  /** The version in use. */
  get config(): GatewayConfig | undefined {
    return this.#current?.config;
  }

  /** Its ports. */
  get ports(): readonly VersionPort[] {
    return this.#current?.ports ?? [];
  }

  /** Returns the address at which one of them is open. */
  addressOf({ id }: VersionPort): string | undefined {
    return this.#ports.addressOf(id);
  }

  /** Its routes. */
  get routes(): readonly GatewayRoute[] {
    return [...(this.#current?.routes.values() ?? [])];
  }

  /** These, and those that answer their last calls. */
  get allRoutes(): readonly GatewayRoute[] {
    return [...this.routes, ...this.#ending];
  }

  /** @throws {StartupError} If something in the file is not valid. Then nothing has changed. */
  prepare(config: GatewayConfig, files: InputFiles): PreparedConfig {
    const { logger, handlerFor, store } = this.#inputs;
    const previous = this.#current;
    const next = createConfigVersion(config, { logger, files, store, previous });
    let prepared: PreparedPorts;
    try {
      const times = timesOf(config.process);
      prepared = this.#ports.prepare(
        next.ports.map((port) => ({ ...port, times, files, handler: handlerFor(port, config) })),
      );
    } catch (error) {
      next.discard();
      throw error;
    }
    // Before the gateway listens, close() ends the first version.
    this.#current ??= next;
    return { use: (host) => this.#use(next, prepared, { previous, host }) };
  }

  /** Accepts no more connections, ends all routes, then closes the remaining connections. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const closing = this.#ports.close();
    await this.#end(this.allRoutes);
    this.#current?.parts.end();
    await closing.finish();
  }

  async #use(next: ConfigVersion, prepared: PreparedPorts, { previous, host }: UseParts): Promise<ConfigChanges> {
    const before = this.#ports.addresses;
    try {
      await prepared.open(host);
      if (this.#isClosed) throw new Error('the gateway was closed meanwhile');
    } catch (error) {
      await prepared.discard();
      if (previous === undefined) await this.close();
      else next.discard();
      throw error;
    }
    this.#current = next;
    for (const { recordedAs, label, countedBy, limit } of next.routes.values()) {
      // Calls in flight end under the new labels too: an old one may be that of another route now.
      recordedAs.label = label;
      if (countedBy && limit) countedBy.limit = limit;
    }
    const closing = await prepared.use(host);
    next.parts.endEarlier();
    const ended = [...(previous?.routes ?? [])].flatMap(([key, route]) => (next.routes.has(key) ? [] : [route]));
    const { drainSeconds } = timesOf(next.config.process);
    void this.#finish(ended, closing, drainSeconds);
    const after = this.#ports.addresses;
    const opened = after.filter((address) => !before.includes(address));
    const closed = before.filter((address) => !after.includes(address));
    const kept = [...next.routes.values()].filter((route) => !next.started.includes(route));
    return { kept, started: next.started, ended, ports: next.ports, opened, closed };
  }

  /** Ends routes, and then the connections of closed ports. */
  async #finish(routes: readonly GatewayRoute[], closing: ClosingPorts, drainSeconds: number): Promise<void> {
    for (const route of routes) this.#ending.add(route);
    await Promise.all(routes.map((route) => finishCalls(route, drainSeconds)));
    await this.#end(routes);
    for (const route of routes) this.#ending.delete(route);
    await closing.finish();
  }

  async #end(routes: readonly GatewayRoute[]): Promise<void> {
    const ended = await Promise.allSettled(routes.map((route) => route.close()));
    for (const end of ended) {
      if (end.status === 'rejected') this.#inputs.logger.error(`a backend could not be stopped: ${end.reason}`);
    }
  }
}

/** A request that came before the reload may open a session, and its calls are answered. */
async function finishCalls(route: GatewayRoute, seconds: number): Promise<void> {
  const until = performance.now() + seconds * 1_000;
  await route.settle(seconds * 1_000);
  await route.drain(Math.max(0, until - performance.now()) / 1_000);
}
