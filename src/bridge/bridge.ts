import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Advice } from '../core/advice.js';
import type { AuthInfo } from '../core/auth-info.js';
import { requireAuthority } from '../core/authority.js';
import { createBodyReport } from '../core/body-report.js';
import { markOwnSessions } from '../core/own-sessions.js';
import { principalOf, userOf } from '../core/principal.js';
import { type Caller, Quota } from '../core/quota.js';
import { readBody } from '../http/body.js';
import { hasHungUp } from '../http/hang-up.js';
import { BridgeError } from '../messages/bridge-error.js';
import { parseMessages } from '../messages/json-rpc.js';
import { createMetaRules } from '../messages/meta-edit.js';
import { isStateless, namesStatelessRevision } from '../messages/revision.js';
import { refuserOf } from '../oauth/refusal.js';
import { inheritedEnvironment } from '../targets/stdio/child-environment.js';
import { ChildSource } from '../targets/stdio/child-source.js';
import { dropWatchdog, takeWatchdog } from '../targets/stdio/watchdog.js';
import { replyFailure } from './answers/reply-failure.js';
import type { BridgeRequest } from './bridge-request.js';
import { createOpenWarning } from './open-warning.js';
import { createRebindingGuard, type RebindingGuard } from './rebinding-guard.js';
import { SessionExchange } from './sessions/session-exchange.js';
import { Sessions } from './sessions/sessions.js';
import { StatelessChildren } from './stateless/stateless-children.js';
import { StatelessExchange } from './stateless/stateless-exchange.js';
import { createStatsChannel } from './stats-channel.js';
import type { ResolvedStdio } from './stdio-options.js';

const WHO = 'mcpStdioBackend()';
const TICK_MS = 1_000;
const TICKS_PER_KEEP_ALIVE = 15;

/** Connects HTTP requests to the child processes that answer them. */
export class Bridge {
  readonly #children: ChildSource;
  readonly #sessions: Sessions;
  readonly #statelessChildren: StatelessChildren;
  readonly #sessionExchange: SessionExchange;
  readonly #statelessExchange: StatelessExchange;
  readonly #guard: RebindingGuard;
  readonly #warnIfOpen: (req: IncomingMessage, caller: Caller) => void;
  readonly #maxBodyBytes: number;
  readonly #reportBody: (error: unknown) => void;
  readonly #publish = createStatsChannel('express-mcp-auth:stdio', () => this.stats());
  readonly #timer: NodeJS.Timeout;
  #ticks = 0;
  #closed: Promise<void> | undefined;

  constructor(options: ResolvedStdio, advice: Advice) {
    const recipe = {
      ...options,
      maxWaiting: options.maxPendingRequests,
      waitMs: options.requestTimeoutSeconds * 1_000,
      watchdog: takeWatchdog(),
    };
    const inherited = inheritedEnvironment(options.inheritEnv);
    const environmentFor = (caller: AuthInfo | undefined) => ({ ...inherited, ...options.env(caller) });
    const quota = new Quota(options);
    const metaRules = createMetaRules(options.requestMeta, options.allowedClientMeta);
    this.#children = new ChildSource(recipe, environmentFor, options.warmChildren, quota);
    this.#sessions = new Sessions(options, this.#children);
    this.#statelessChildren = new StatelessChildren(options, this.#children);
    this.#sessionExchange = new SessionExchange(this.#sessions, metaRules);
    this.#statelessExchange = new StatelessExchange(this.#statelessChildren, metaRules, options);
    this.#guard = createRebindingGuard(WHO, options, advice);
    this.#warnIfOpen = createOpenWarning(WHO, options);
    this.#maxBodyBytes = options.maxBodyBytes;
    this.#reportBody = createBodyReport(WHO, options.logger);
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#timer.unref();
  }

  /** Answers one request, with a refusal if need be. Throws only errors that the client did not cause. */
  async handle(req: IncomingMessage, res: ServerResponse, auth: AuthInfo | undefined): Promise<void> {
    markOwnSessions(req);
    try {
      const isChecked = auth !== undefined || refuserOf(req) !== undefined;
      this.#warnIfOpen(req, { auth, isChecked });
      await this.#dispatch({ req, res, auth, isChecked, principal: principalOf(req, auth), since: performance.now() });
    } catch (error) {
      this.#reportBody(error);
      replyFailure(req, res, error);
    }
  }

  /** The current numbers of sessions, children and requests. */
  stats() {
    return {
      sessions: this.#sessions.size,
      children: this.#children.size,
      pending: this.#sessions.pending + this.#statelessChildren.pending,
      restarts: this.#statelessChildren.restarts,
    };
  }

  /** Answers the requests in flight and ends every session, stream and child; resolves when no process is left. */
  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #dispatch(request: BridgeRequest): Promise<void> {
    const { req, res } = request;
    this.#guard(req, request.isChecked);
    if (this.#closed) throw new BridgeError('closing');
    if (req.method === 'POST') return this.#post(request);
    const known = req.method === 'GET' || req.method === 'DELETE';
    if (known && !namesStatelessRevision(req))
      return this.#sessionExchange[req.method === 'GET' ? 'get' : 'delete'](request);
    res.setHeader('allow', known ? 'POST' : 'GET, POST, DELETE');
    throw new BridgeError('method_not_allowed');
  }

  async #post(request: BridgeRequest): Promise<void> {
    const { req, res, principal } = request;
    const id = req.headers['mcp-session-id']?.toString();
    const body = await this.#sessions.countArriving(id, principal, () => this.#receive(request));
    if (hasHungUp(res)) return;
    requireAuthority(request.auth);
    const { messages, batch } = parseMessages(body);
    if (this.#closed) throw new BridgeError('closing');
    const [first] = messages;
    if (first === undefined || !messages.some((message) => isStateless(req, message))) {
      return this.#sessionExchange.post(request, messages, batch);
    }
    if (batch) throw new BridgeError('batch_not_supported');
    return this.#statelessExchange.post(request, first);
  }

  async #receive(request: BridgeRequest): Promise<Buffer> {
    const { req } = request;
    // While a child is slow to read, its clients' bodies stay in the network and do not fill the heap.
    const buffered = req.readableLength;
    for (let busy = this.#busy(request, buffered); busy; busy = this.#busy(request, buffered)) await busy;
    const body = await readBody(req, this.#maxBodyBytes, 'application/json', userOf(request.auth));
    // Requests that arrived together all passed the check above, so each waits its turn here.
    const { length } = body;
    for (let busy = this.#busy(request, length); busy; busy = this.#busy(request, length)) await busy;
    return body;
  }

  #busy({ req, principal, since }: BridgeRequest, bytes: number): Promise<void> | undefined {
    const sessionId = req.headers['mcp-session-id'];
    if (sessionId !== undefined) return this.#sessions.ready(String(sessionId), principal, since, bytes);
    // A request that opens a session has no child yet, so it does not wait.
    return namesStatelessRevision(req) ? this.#statelessChildren.ready(principal, since, bytes) : undefined;
  }

  #tick(): void {
    const now = performance.now();
    this.#ticks = (this.#ticks + 1) % TICKS_PER_KEEP_ALIVE;
    this.#sessions.tick(now, this.#ticks === 0);
    this.#statelessChildren.tick(now, this.#ticks === 0);
    this.#publish();
  }

  async #end(): Promise<void> {
    clearInterval(this.#timer);
    this.#sessions.endAll('closing');
    this.#statelessChildren.endAll('closing');
    await this.#children.close();
    await dropWatchdog();
    this.#publish();
  }
}
