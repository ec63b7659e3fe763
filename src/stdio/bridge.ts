import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AuthInfo } from '../auth-info.js';
import { BodyError, readBody } from '../http/body.js';
import { replyJson } from '../http/reply.js';
import type { Logger } from '../logger.js';
import { BridgeError } from './bridge-error.js';
import { ChildSource, type EnvironmentFor } from './child-source.js';
import { parseBody } from './json-rpc.js';
import { LegacyExchange, type LegacyRequest } from './legacy-exchange.js';
import type { MetaFor } from './meta-edit.js';
import { principalOf } from './principal.js';
import type { GuardOptions } from './rebinding-guard.js';
import { createRebindingGuard } from './rebinding-guard.js';
import { type SessionLimits, Sessions } from './sessions.js';
import { Watchdog } from './watchdog.js';

/** Everything that a bridge is made of. */
export interface BridgeParts {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string | undefined;
  readonly environmentFor: EnvironmentFor;
  readonly metaFor: MetaFor;
  readonly guard: GuardOptions;
  readonly limits: SessionLimits & {
    readonly maxBodyBytes: number;
    readonly maxMessageBytes: number;
    readonly warm: number;
  };
  readonly logger: Logger;
}

const TICK_MS = 1_000;
const TICKS_PER_KEEP_ALIVE = 15;

/** HTTP on one side, children on the other. */
export class Bridge {
  readonly #watchdog = new Watchdog();
  readonly #children: ChildSource;
  readonly #sessions: Sessions;
  readonly #legacy: LegacyExchange;
  readonly #guard: (req: IncomingMessage) => void;
  readonly #maxBodyBytes: number;
  readonly #timer: NodeJS.Timeout;
  #ticks = 0;
  #closed: Promise<void> | undefined;

  constructor({ command, args, cwd, environmentFor, metaFor, guard, limits, logger }: BridgeParts) {
    const { maxMessageBytes } = limits;
    const recipe = { command, args, cwd, maxMessageBytes, watchdog: this.#watchdog, logger };
    this.#children = new ChildSource(recipe, environmentFor, limits.warm);
    this.#sessions = new Sessions(limits, this.#children);
    this.#legacy = new LegacyExchange(this.#sessions, metaFor);
    this.#guard = createRebindingGuard(guard);
    this.#maxBodyBytes = limits.maxBodyBytes;
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#timer.unref();
  }

  /** Answers one request. Throws nothing but what is nobody's fault out there. */
  async handle(req: IncomingMessage, res: ServerResponse, auth: AuthInfo | undefined): Promise<void> {
    try {
      await this.#dispatch({ req, res, auth, principal: principalOf(req, auth) });
    } catch (error) {
      if (error instanceof BridgeError) refuse(res, error);
      else if (error instanceof BodyError) refuse(res, bridgeErrorFor(error));
      else throw error;
    }
  }

  /** How many sessions, children and requests there are now. */
  stats() {
    return { sessions: this.#sessions.size, children: this.#children.size, pending: this.#sessions.pending };
  }

  /** Answers what is in flight, ends every session, stream and child; resolves when no process is left. */
  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #dispatch(request: LegacyRequest): Promise<void> {
    const { req, res } = request;
    this.#guard(req);
    if (this.#closed) throw new BridgeError('closing');
    if (req.method === 'POST') {
      const { messages, batch } = parseBody(await readBody(req, this.#maxBodyBytes));
      if (this.#closed) throw new BridgeError('closing');
      await this.#legacy.post(request, messages, batch);
    } else if (req.method === 'GET') this.#legacy.get(request);
    else if (req.method === 'DELETE') this.#legacy.delete(request);
    else {
      res.setHeader('allow', 'GET, POST, DELETE');
      throw new BridgeError('method_not_allowed');
    }
  }

  #tick(): void {
    this.#ticks = (this.#ticks + 1) % TICKS_PER_KEEP_ALIVE;
    this.#sessions.tick(Date.now(), this.#ticks === 0);
  }

  async #end(): Promise<void> {
    clearInterval(this.#timer);
    this.#sessions.endAll('closing');
    await this.#children.close();
    await this.#watchdog.stop();
  }
}

const RETRY_AFTER: Readonly<Record<number, string>> = { 429: '5', 503: '10' };

function refuse(res: ServerResponse, error: BridgeError): void {
  if (res.headersSent || res.destroyed) return;
  const retryAfter = RETRY_AFTER[error.status];
  // What is left of a body over the limit is not read, so the connection cannot be used again.
  const headers = {
    ...(retryAfter && { 'retry-after': retryAfter }),
    ...(error.status === 413 && { connection: 'close' }),
  };
  replyJson(res, error.status, error.body(), headers);
}

function bridgeErrorFor({ status, message }: BodyError): BridgeError {
  const reason = { 400: 'unusable_body', 413: 'body_too_large', 415: 'unsupported_media_type' } as const;
  return new BridgeError(reason[status], { detail: message });
}
