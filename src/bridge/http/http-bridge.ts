import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Advice } from '../../core/advice.js';
import type { AuthInfo } from '../../core/auth-info.js';
import { requireAuthority } from '../../core/authority.js';
import { createBodyReport } from '../../core/body-report.js';
import { markOwnSessions } from '../../core/own-sessions.js';
import { principalOf, userOf } from '../../core/principal.js';
import type { Caller } from '../../core/quota.js';
import { hasHungUp, onceClosed } from '../../http/hang-up.js';
import { BridgeError } from '../../messages/bridge-error.js';
import { refuserOf } from '../../oauth/refusal.js';
import type { ResponseHeaders } from '../../targets/http/exchange.js';
import { HttpTarget } from '../../targets/http/http-target.js';
import { replyFailure } from '../answers/reply-failure.js';
import type { BridgeRequest } from '../bridge-request.js';
import { createOpenWarning } from '../open-warning.js';
import { createRebindingGuard } from '../rebinding-guard.js';
import { createCallerHeaders } from './caller-headers.js';
import { createIssuerWarning } from './caller-issuer.js';
import type { CallerTokens } from './caller-token.js';
import { createClientHeaders, textOf } from './client-headers.js';
import { createFailureLog } from './failure-log.js';
import type { ResolvedHttp } from './http-options.js';
import type { HeaderRecord } from './read-http-options.js';
import { Relay } from './relay.js';
import { type RemoteSession, RemoteSessions } from './remote-sessions.js';
import { type RequestBody, requestBody } from './request-body.js';
import { refuseFault } from './response-fault.js';
import { isReachable, sayGoodbye } from './target-calls.js';
import { createTargetHeaders } from './target-headers.js';

const WHO = 'mcpHttpBackend()';
const TICK_MS = 1_000;

type Method = 'GET' | 'POST' | 'DELETE';
const METHODS: readonly string[] = ['GET', 'POST', 'DELETE'] satisfies Method[];

/** HTTP on both sides: sessions with owners, and streams that end with their tokens. The messages pass as they are. */
export class HttpBridge {
  readonly #options: ResolvedHttp;
  readonly #target: HttpTarget;
  readonly #sessions: RemoteSessions;
  readonly #guard: (req: IncomingMessage) => void;
  readonly #warnIfOpen: (req: IncomingMessage, caller: Caller) => void;
  readonly #warnOfIssuer: (req: IncomingMessage) => void;
  readonly #callerHeaders: ReturnType<typeof createCallerHeaders>;
  readonly #targetHeaders: ReturnType<typeof createTargetHeaders>;
  readonly #clientHeaders: ReturnType<typeof createClientHeaders>;
  readonly #reportBody: (error: unknown) => void;
  readonly #log: ReturnType<typeof createFailureLog>;
  readonly #relays = new Set<Relay>();
  readonly #goodbyes = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;
  #closed: Promise<void> | undefined;

  constructor(options: ResolvedHttp, advice: Advice, tokens: CallerTokens | undefined) {
    this.#options = options;
    this.#target = new HttpTarget(options);
    this.#sessions = new RemoteSessions(options, (session) => this.#endAtTarget(session));
    this.#guard = createRebindingGuard(WHO, options, advice);
    this.#warnIfOpen = createOpenWarning(WHO, options);
    this.#warnOfIssuer = createIssuerWarning(options.callerToken?.issuer, options.logger);
    this.#callerHeaders = createCallerHeaders(options, tokens);
    this.#targetHeaders = createTargetHeaders(options.requestHeaders);
    this.#clientHeaders = createClientHeaders(options.responseHeaders);
    this.#reportBody = createBodyReport(WHO, options.logger);
    this.#log = createFailureLog(WHO, options);
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#timer.unref();
  }

  /** Answers one request. Throws nothing but what is no fault of the client or of the target. */
  async handle(req: IncomingMessage, res: ServerResponse, auth: AuthInfo | undefined, next: Next): Promise<void> {
    markOwnSessions(req);
    const isChecked = auth !== undefined || refuserOf(req) !== undefined;
    const principal = principalOf(req, auth);
    const request = { req, res, auth, isChecked, principal, since: performance.now(), next };
    try {
      this.#warnIfOpen(req, request);
      this.#warnOfIssuer(req);
      await this.#serve(request);
    } catch (error) {
      this.#fail(request, error);
    }
  }

  /** How many sessions, streams and unanswered requests there are now. */
  stats() {
    const relays = [...this.#relays];
    return {
      sessions: this.#sessions.size,
      streams: relays.filter(({ isStream }) => isStream).length,
      pending: relays.filter(({ isPending }) => isPending).length,
    };
  }

  /** True if the target answers. */
  ready(): Promise<boolean> {
    return isReachable(this.#target, this.#options);
  }

  /** Ends every stream and request, and the sessions that no other process could serve. */
  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #serve(request: HttpRequest): Promise<void> {
    const { req, res, auth } = request;
    this.#guard(req);
    if (this.#closed) throw new BridgeError('closing');
    const method = methodOf(req, res);
    const session = this.#sessions.named(request);
    if (session !== undefined) attend(session, res);
    const caller = await this.#callerHeaders(auth, req);
    const body = method === 'POST' ? await requestBody(req, this.#options.maxBodyBytes, userOf(auth)) : undefined;
    await this.#target.prepare();
    if (hasHungUp(res)) return;
    if (this.#closed) throw new BridgeError('closing');
    requireAuthority(auth);
    if (session !== undefined) session.callerHeaders = caller;
    this.#relay(request, { method, session, caller, body });
  }

  #relay(request: HttpRequest, sent: Sent): void {
    const { req, res } = request;
    const relay = new Relay(request, {
      headersFor: (status, headers) => this.#headersFor(request, sent, status, headers),
      fail: (error, detail) => this.#fail(request, error, detail),
      onBroken: ({ error, detail }) => this.#log(error, detail),
    });
    this.#relays.add(relay);
    onceClosed(res, () => {
      this.#relays.delete(relay);
      relay.abort();
    });
    const { method, session, caller, body: { body, contentLength } = {} } = sent;
    const headers = this.#targetHeaders(req, { caller, sessionId: session?.id, contentLength });
    // A stream may have nothing to say for hours, and some servers say nothing before.
    const timeoutMs = method === 'GET' ? 0 : this.#options.responseTimeoutSeconds * 1_000;
    relay.begin(this.#target.exchange({ method, headers, body, timeoutMs }, relay));
  }

  #headersFor(request: HttpRequest, sent: Sent, status: number, headers: ResponseHeaders): Record<string, string> {
    const { method, session, caller } = sent;
    const isEnded = status === 404 || (method === 'DELETE' && status < 300);
    if (session !== undefined && isEnded) this.#sessions.forget(session);
    refuseFault(status, headers);
    const result = this.#clientHeaders(headers);
    const id = textOf(headers['mcp-session-id']);
    if (id === undefined || isEnded || status >= 400) return result;
    const current = id === session?.id ? session : this.#sessions.handedOut(id, request, caller);
    if (current !== session) attend(current, request.res);
    return Object.assign(result, { 'mcp-session-id': this.#sessions.idFor(current, request) });
  }

  #fail({ req, res, next }: HttpRequest, error: unknown, detail?: string): void {
    this.#reportBody(error);
    this.#log(error, detail);
    try {
      replyFailure(req, res, error);
    } catch (other) {
      next(other);
    }
  }

  #endAtTarget({ id, callerHeaders }: RemoteSession): void {
    const goodbye = sayGoodbye(this.#target, id, callerHeaders);
    this.#goodbyes.add(goodbye);
    void goodbye.then(() => this.#goodbyes.delete(goodbye));
  }

  #tick(): void {
    for (const relay of [...this.#relays]) relay.checkAuthority();
    this.#sessions.tick(performance.now());
  }

  async #end(): Promise<void> {
    clearInterval(this.#timer);
    for (const relay of [...this.#relays]) relay.end(new BridgeError('closing'));
    this.#sessions.endAll();
    await Promise.all(this.#goodbyes);
    await this.#target.close();
  }
}

/** Where a failure goes that is no fault of the client or of the target. */
type Next = (error: unknown) => void;

type HttpRequest = BridgeRequest & { readonly next: Next };

/** What was sent to the target on behalf of one request. */
interface Sent {
  readonly method: Method;
  readonly session: RemoteSession | undefined;
  readonly caller: HeaderRecord;
  readonly body: RequestBody | undefined;
}

function methodOf(req: IncomingMessage, res: ServerResponse): Method {
  const { method = '' } = req;
  if (METHODS.includes(method)) return method as Method;
  res.setHeader('allow', METHODS.join(', '));
  throw new BridgeError('method_not_allowed');
}

/** Keeps a session from making room for another as long as the answer is not over. */
function attend(session: RemoteSession, res: ServerResponse): void {
  session.open++;
  session.lastUsed = performance.now();
  onceClosed(res, () => {
    session.open--;
    session.lastUsed = performance.now();
  });
}
