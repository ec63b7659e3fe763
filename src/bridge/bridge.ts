import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AuthInfo } from '../core/auth-info.js';
import { markOwnSessions } from '../core/own-sessions.js';
import { principalOf, userOf } from '../core/principal.js';
import type { Caller } from '../core/quota.js';
import { requireNotWithdrawn } from '../core/token-validity.js';
import { readBody } from '../http/body.js';
import { hasHungUp, onceClosed } from '../http/hang-up.js';
import { BridgeError } from '../messages/bridge-error.js';
import { type ClientMessage, parseMessages } from '../messages/json-rpc.js';
import { createMessageRefusalLog, type MessageRefusalLog } from '../messages/message-refusal-log.js';
import { createMetaRules, type MetaRules } from '../messages/meta-edit.js';
import { isStateless, namesStatelessRevision } from '../messages/revision.js';
import { refuserOf } from '../oauth/refusal.js';
import { LeasedConnections } from '../targets/leased-connections.js';
import { MAX_STOP_SECONDS } from '../targets/stdio/process-tree.js';
import { endOfError } from '../telemetry/outcomes.js';
import { type BreakOff, createBreakOff } from './answers/break-off.js';
import { replyFailure } from './answers/reply-failure.js';
import { type ArrivedRequest, type BridgeRequest, cancelIfHungUp } from './bridge-request.js';
import type { BridgeSetup, BridgeStats } from './bridge-setup.js';
import { type CallObserver, createCallObserver } from './call-observer.js';
import { Drain } from './drain.js';
import { listensOnly } from './listens.js';
import { createOpenWarning } from './open-warning.js';
import { createRebindingGuard, type RebindingGuard } from './rebinding-guard.js';
import { SessionExchange } from './sessions/session-exchange.js';
import { Sessions } from './sessions/sessions.js';
import { createAnonymousRefusal } from './stateless/anonymous-refusal.js';
import { InitializedConnections } from './stateless/initialized-connections.js';
import { InitializedExchange } from './stateless/initialized-exchange.js';
import { StatelessConnections } from './stateless/stateless-connections.js';
import { StatelessExchange } from './stateless/stateless-exchange.js';

const TICK_MS = 1_000;
const TICKS_PER_KEEP_ALIVE = 15;

/** Connects HTTP requests to the MCP servers that answer them. */
export class Bridge {
  readonly #metaRules: MetaRules;
  readonly #connections: LeasedConnections;
  readonly #sessions: Sessions;
  readonly #stateless: StatelessConnections;
  readonly #initialized: InitializedConnections;
  readonly #sessionExchange: SessionExchange;
  readonly #statelessExchange: StatelessExchange;
  readonly #initializedExchange: InitializedExchange;
  readonly #hasSessions: boolean;
  readonly #drain = new Drain({ isBusy: () => this.#isBusy, endStreams: () => this.#endStreams() });
  readonly #guard: RebindingGuard;
  readonly #warnIfOpen: (req: IncomingMessage, caller: Caller) => void;
  readonly #maxBodyBytes: number;
  readonly #observe: CallObserver;
  readonly #logRefusal: MessageRefusalLog;
  readonly #breakOff: BreakOff;
  readonly #onStats: (stats: BridgeStats) => void;
  readonly #timer: NodeJS.Timeout;
  #ticks = 0;
  /** The requests whose answers have not ended, except those that only listen. */
  #waiting = 0;
  #closed: Promise<void> | undefined;

  constructor({ who, source, options, advice, credentials = [], onStats }: BridgeSetup) {
    const metaRules = createMetaRules(options.requestMeta, options.allowedClientMeta);
    this.#metaRules = metaRules;
    this.#connections = new LeasedConnections(who, source, { ...options, advice }, MAX_STOP_SECONDS);
    this.#sessions = new Sessions(options, this.#connections);
    this.#stateless = new StatelessConnections(options, this.#connections);
    this.#initialized = new InitializedConnections(options, this.#connections);
    this.#sessionExchange = new SessionExchange(this.#sessions, metaRules, this.#drain);
    const refuseAnonymous = createAnonymousRefusal(who, options);
    this.#statelessExchange = new StatelessExchange(this.#stateless, metaRules, refuseAnonymous);
    this.#initializedExchange = new InitializedExchange(this.#initialized, {
      metaRules,
      refuseAnonymous,
      drain: this.#drain,
    });
    this.#hasSessions = options.sessions;
    this.#guard = createRebindingGuard(who, options, advice);
    this.#warnIfOpen = createOpenWarning(who, { ...options, credentials });
    this.#maxBodyBytes = options.maxBodyBytes;
    this.#observe = createCallObserver(options);
    this.#logRefusal = createMessageRefusalLog(who, options.logger, { advice });
    this.#breakOff = createBreakOff(who, options.logger);
    this.#onStats = onStats;
    this.#timer = setInterval(() => this.#tick(), TICK_MS).unref();
  }

  /** Answers one request, with a refusal if need be. Throws only errors that the client did not cause. */
  async handle(req: IncomingMessage, res: ServerResponse, auth: AuthInfo | undefined): Promise<void> {
    markOwnSessions(req);
    this.#count(req, res);
    let request: ArrivedRequest | undefined;
    try {
      const isChecked = auth !== undefined || refuserOf(req) !== undefined;
      this.#warnIfOpen(req, { auth, isChecked });
      request = {
        req,
        res,
        auth,
        breakOff: this.#breakOff,
        isChecked,
        principal: principalOf(req, auth),
        since: performance.now(),
        calls: undefined,
      };
      await this.#dispatch(request);
    } catch (error) {
      request?.calls?.endAll(endOfError(error));
      this.#logRefusal(error);
      replyFailure({ req, res, breakOff: this.#breakOff }, error);
    }
  }

  /** The current numbers of sessions, connections and requests. */
  stats(): BridgeStats {
    return {
      sessions: this.#sessions.size,
      connections: this.#connections.size,
      pending: this.#sessions.pending + this.#stateless.pending + this.#initialized.pending,
      restarts: this.#stateless.restarts + this.#initialized.restarts,
    };
  }

  /** Returns the open sessions. */
  sessions = () => this.#sessions.live;

  /** True once `drain()` or `close()` was called. */
  get isEnding(): boolean {
    return this.#drain.hasBegun || this.#closed !== undefined;
  }

  /** Opens no more sessions, and ends streams of sessions in which no request is in flight. See `Drain.begin()`. */
  drain(seconds: number): Promise<void> {
    return this.#drain.begin(seconds);
  }

  /** Answers the requests in flight and ends every session, stream and connection; resolves when none is left. */
  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  #count(req: IncomingMessage, res: ServerResponse): void {
    // The client left while an earlier middleware waited: 'close' has been emitted already.
    if (hasHungUp(res)) return;
    const waits = listensOnly(req) ? 0 : 1;
    this.#waiting += waits;
    onceClosed(res, () => {
      this.#waiting -= waits;
      this.#drain.check();
    });
  }

  get #isBusy(): boolean {
    // A client whose connection broke comes back for the answer to its request.
    return this.#waiting > 0 || this.#sessions.pending > 0 || this.#sessions.isAwaited(performance.now());
  }

  #endStreams(): void {
    this.#sessions.pauseStreams();
    this.#stateless.endSubscriptions();
  }

  async #dispatch(request: ArrivedRequest): Promise<void> {
    const { req, res } = request;
    this.#guard(req, request.isChecked);
    if (this.#closed) throw new BridgeError('closing');
    if (req.method === 'POST') return this.#post(request);
    const known = req.method === 'GET' || req.method === 'DELETE';
    if (known && this.#hasSessions && !namesStatelessRevision(req))
      return this.#sessionExchange[req.method === 'GET' ? 'get' : 'delete'](request);
    res.setHeader('allow', known || !this.#hasSessions ? 'POST' : 'GET, POST, DELETE');
    throw new BridgeError('method_not_allowed');
  }

  async #post(request: ArrivedRequest): Promise<void> {
    const { req, res, principal } = request;
    const id = req.headers['mcp-session-id']?.toString();
    const body = await this.#sessions.countArriving(id, principal, () => this.#receive(request));
    if (hasHungUp(res)) return;
    requireNotWithdrawn(request.auth);
    const { messages, batch } = parseMessages(body);
    request.calls = this.#observe(request, messages);
    return this.#pass(request, messages, batch);
  }

  async #pass(request: BridgeRequest, messages: readonly ClientMessage[], batch: boolean): Promise<void> {
    const rule = messages.some(({ kind }) => kind === 'request') ? this.#metaRules.forRequest(request.auth) : undefined;
    const metaRule = rule instanceof Promise ? await rule : rule;
    if (rule instanceof Promise) {
      if (cancelIfHungUp(request)) return;
      requireNotWithdrawn(request.auth);
    }
    if (this.#closed) throw new BridgeError('closing');
    return this.#exchange({ ...request, metaRule }, messages, batch);
  }

  #exchange(request: BridgeRequest, messages: readonly ClientMessage[], batch: boolean): Promise<void> | void {
    const [first] = messages;
    if (first === undefined || !messages.some((message) => isStateless(request.req, message))) {
      return this.#hasSessions
        ? this.#sessionExchange.post(request, messages, batch)
        : this.#initializedExchange.post(request, messages, batch);
    }
    if (batch) throw new BridgeError('batch_not_supported');
    return this.#statelessExchange.post(request, first);
  }

  async #receive(request: BridgeRequest): Promise<Buffer> {
    // While an MCP server is slow to read, its clients' bodies stay in the network and do not fill the heap.
    await this.#untilWritable(request, request.req.readableLength);
    const body = await readBody(request.req, this.#maxBodyBytes, 'application/json', userOf(request.auth));
    // Requests that arrived together all passed the check above, so each waits its turn here.
    await this.#untilWritable(request, body.length);
    return body;
  }

  async #untilWritable(request: BridgeRequest, bytes: number): Promise<void> {
    for (let wait = this.#whenWritable(request, bytes); wait; wait = this.#whenWritable(request, bytes)) await wait;
  }

  #whenWritable({ req, principal, since }: BridgeRequest, bytes: number): Promise<void> | undefined {
    const sessionId = req.headers['mcp-session-id'];
    if (sessionId !== undefined && this.#hasSessions)
      return this.#sessions.whenWritable(String(sessionId), principal, since, bytes);
    // A request that opens a session has no connection yet, so it does not wait.
    if (namesStatelessRevision(req)) return this.#stateless.whenWritable(principal, since, bytes);
    return this.#hasSessions ? undefined : this.#initialized.whenWritable(principal, since, bytes);
  }

  #tick(): void {
    const now = performance.now();
    this.#ticks = (this.#ticks + 1) % TICKS_PER_KEEP_ALIVE;
    const parts = [this.#sessions, this.#stateless, this.#initialized];
    const late = parts.filter((part) => part.tick(now, this.#ticks === 0));
    if (late.length > 0) this.#logRefusal(new BridgeError('request_timed_out'));
    this.#drain.check();
    this.#onStats(this.stats());
  }

  async #end(): Promise<void> {
    clearInterval(this.#timer);
    this.#sessions.endAll('closing');
    this.#stateless.endAll('closing');
    this.#initialized.endAll('closing');
    await this.#connections.close();
    this.#onStats(this.stats());
  }
}
