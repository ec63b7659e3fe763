import type { Caller } from '../../core/quota.js';
import type { Connection, ConnectionSource } from '../connection.js';
import type { TargetAddress } from './dispatcher.js';
import { createFailureLog, createLostSessionLog, createRefusalWarning } from './failure-log.js';
import { HttpTarget } from './http-target.js';
import { RemoteConnection } from './remote-connection.js';
import type { RemoteRecipe } from './remote-recipe.js';
import { faultOfTarget } from './target-calls.js';

/** Opens connections to one remote server, and closes them. */
export class RemoteSource implements ConnectionSource {
  readonly #recipe: RemoteRecipe;
  readonly #address: TargetAddress;
  readonly #open = new Set<Connection>();

  constructor(
    address: TargetAddress,
    recipe: Omit<RemoteRecipe, 'target' | 'logFailure' | 'logLostSession' | 'logRefusal' | 'url'>,
  ) {
    const { url } = address;
    const { who, logger } = recipe;
    const logFailure = createFailureLog(who, { url, logger });
    const logLostSession = createLostSessionLog(who, { url, logger });
    const logRefusal = createRefusalWarning(who, { url, logger });
    this.#address = address;
    this.#recipe = { ...recipe, url, target: new HttpTarget(address), logFailure, logLostSession, logRefusal };
  }

  get size(): number {
    return this.#open.size;
  }

  open({ auth }: Caller): Connection {
    const connection = new RemoteConnection(this.#recipe, auth);
    this.#open.add(connection);
    void connection.ended.then(() => this.#open.delete(connection));
    return connection;
  }

  /** Resolves to undefined if the server answers a request that carries no secret; otherwise to the reason, for a log. */
  fault(): Promise<string | undefined> {
    const { target, sendsCredentials } = this.#recipe;
    return faultOfTarget(target, this.#address, sendsCredentials);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open].map((connection) => connection.stop()));
    await this.#recipe.target.close();
  }
}
