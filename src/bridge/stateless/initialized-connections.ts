import type { Principal } from '../../core/principal.js';
import type { Caller } from '../../core/quota.js';
import { BridgeError } from '../../messages/bridge-error.js';
import { readChildLine } from '../../messages/child-line.js';
import { memberOf } from '../../messages/json-members.js';
import { membersAt, type RpcMessage } from '../../messages/json-rpc.js';
import { LAST_SESSION_REVISION } from '../../messages/revision.js';
import type { LeasedConnections } from '../../targets/leased-connections.js';
import type { ResolvedBridge } from '../bridge-options.js';
import type { BridgeRequest } from '../bridge-request.js';
import { ConnectionPool, type NewConnection } from './connection-pool.js';
import { askServer } from './internal-request.js';
import type { StatelessConnection } from './stateless-connection.js';

// No capabilities: the bridge refuses whatever a server asks of a client.
const OPENING = {
  protocolVersion: LAST_SESSION_REVISION,
  capabilities: {},
  clientInfo: { name: 'express-mcp-auth', version: '1' },
};
/** Bytes of the response to `initialize`, which is kept for as long as the connection. Instructions for a model have far less. */
const MAX_PREPARED_BYTES = 1_048_576;
const INITIALIZED = Buffer.from('{"jsonrpc":"2.0","method":"notifications/initialized"}');

/** A connection that the bridge has initialized. */
export interface InitializedConnection {
  readonly stateless: StatelessConnection;
  /** The server's response to `initialize`. */
  readonly prepared: RpcMessage;
}

/** The connections that serve clients of revisions with sessions without one. The bridge itself opens the session of each. */
export class InitializedConnections {
  readonly #options: ResolvedBridge;
  readonly #pool: ConnectionPool<RpcMessage>;

  constructor(options: ResolvedBridge, connections: LeasedConnections) {
    this.#options = options;
    this.#pool = new ConnectionPool(options, connections, { prepare: (opened) => this.#initialize(opened) });
  }

  get pending(): number {
    return this.#pool.pending;
  }

  get restarts(): number {
    return this.#pool.restarts;
  }

  /** True if no other request may use the connection of this one. */
  isSeparate(caller: Caller): boolean {
    return this.#pool.isSeparate(caller);
  }

  /**
   * Returns the connection for a request of `bytes` bytes, and opens it if needed.
   *
   * @throws {BridgeError} If the server did not start or refused `initialize`, or if a limit is reached.
   */
  get(request: BridgeRequest, bytes: number): Promise<InitializedConnection> {
    return this.#pool.get(request, bytes);
  }

  /** `Connection.whenWritable()` of the principal's connection; undefined if there is none. */
  whenWritable(principal: Principal, since: number, bytes: number): Promise<void> | undefined {
    return this.#pool.whenWritable(principal, since, bytes);
  }

  /** Called every second. Returns true if a request has timed out. */
  tick(now: number, keepAlive: boolean): boolean {
    return this.#pool.tick(now, keepAlive);
  }

  endAll(reason: 'closing'): void {
    this.#pool.endAll(reason);
  }

  async #initialize(opened: NewConnection): Promise<RpcMessage> {
    const { stateless, connection } = opened;
    const { startTimeoutSeconds } = this.#options;
    const answer = await askServer(stateless, 'initialize', OPENING, startTimeoutSeconds * 1_000);
    const { closeReason } = stateless;
    if (closeReason !== undefined) throw new BridgeError(closeReason);
    if (answer === undefined) {
      connection.logLateStart(startTimeoutSeconds);
      this.#pool.end(opened, 'start_timed_out');
      throw new BridgeError('start_timed_out');
    }
    const isTooLarge = answer.bytes.length > MAX_PREPARED_BYTES;
    const { bytes, reason = isTooLarge ? 'message_too_large' : 'initialize_refused' } = answer;
    const message = isTooLarge ? undefined : readChildLine(bytes);
    if (message === undefined || memberOf(membersAt(message, 'result'), 'protocolVersion') === undefined) {
      this.#pool.end(opened, 'session_ended');
      throw new BridgeError(reason);
    }
    stateless.notify(INITIALIZED);
    return message;
  }
}
