import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Advice } from '../../core/advice.js';
import { requireAuthority } from '../../core/authority.js';
import { createBodyReport } from '../../core/body-report.js';
import { markOwnSessions } from '../../core/own-sessions.js';
import { userOf } from '../../core/principal.js';
import type { Caller } from '../../core/quota.js';
import { hasHungUp } from '../../http/hang-up.js';
import { BridgeError } from '../../messages/bridge-error.js';
import { type HeaderRecord, headerText, type ResponseHeaders } from '../../targets/http/exchange.js';
import { createFailureLog } from '../../targets/http/failure-log.js';
import { HttpTarget } from '../../targets/http/http-target.js';
import { refuseFault } from '../../targets/http/response-fault.js';
import { endSession, isReachable } from '../../targets/http/target-calls.js';
import { replyFailure } from '../answers/reply-failure.js';
import { createOpenWarning } from '../open-warning.js';
import { createRebindingGuard } from '../rebinding-guard.js';
import { createCallerHeaders } from './caller-headers.js';
import { createIssuerWarning } from './caller-issuer.js';
import type { CallerTokens } from './caller-token.js';
import { createClientHeaders } from './client-headers.js';
import type { ResolvedHttp } from './http-options.js';
import type { HttpRequest } from './http-request.js';
import { RELAYED_METHODS, Relay, type RelayedMethod, type RelayHost } from './relay.js';
import { type RemoteSession, RemoteSessions } from './remote-sessions.js';
import { type RequestBody, requestBody } from './request-body.js';
import { createTargetHeaders } from './target-headers.js';

const WHO = 'mcpHttpBackend()';
const TICK_MS = 1_000;

/** Forwards requests to one target. Sessions have owners, and streams end with the token of their caller. Messages are not read. */
export class HttpBridge {
  readonly #options: ResolvedHttp;
  readonly #target: HttpTarget;
  readonly #sessions: RemoteSessions;
  readonly #guard: (req: IncomingMessage) => void;
  readonly #warnIfOpen: (req: IncomingMessage, caller: Caller) => void;
  readonly #warnAboutIssuer: (req: IncomingMessage) => void;
  readonly #callerHeaders: ReturnType<typeof createCallerHeaders>;
  readonly #targetHeaders: ReturnType<typeof createTargetHeaders>;
  readonly #clientHeaders: ReturnType<typeof createClientHeaders>;
  readonly #reportBody: (error: unknown) => void;
  readonly #log: ReturnType<typeof createFailureLog>;
  readonly #host: RelayHost = {
    headersFor: (relay, status, headers) => this.#headersFor(relay, status, headers),
    fail: (request, error, detail) => this.#fail(request, error, detail),
    onBroken: ({ error, detail }) => this.#log(error, detail),
    onClosed: (relay) => void this.#relays.delete(relay),
  };
  readonly #relays = new Set<Relay>();
  readonly #endings = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;
  #closed: Promise<void> | undefined;

  constructor(options: ResolvedHttp, advice: Advice, tokens: CallerTokens | undefined) {
    this.#options = options;
    this.#target = new HttpTarget(options);
    this.#sessions = new RemoteSessions(options, (session) => this.#endAtTarget(session));
    this.#guard = createRebindingGuard(WHO, options, advice);
    this.#warnIfOpen = createOpenWarning(WHO, options);
    this.#warnAboutIssuer = createIssuerWarning(options.callerToken?.issuer, options.logger);
    this.#callerHeaders = createCallerHeaders(options, tokens);
    this.#targetHeaders = createTargetHeaders(options.requestHeaders);
    this.#clientHeaders = createClientHeaders(options.responseHeaders);
    this.#reportBody = createBodyReport(WHO, options.logger);
    this.#log = createFailureLog(WHO, options);
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#timer.unref();
  }

  /** Answers one request. Never rejects: an error that is neither the client's nor the target's fault goes to `next`. */
  async handle(request: HttpRequest): Promise<void> {
    try {
      markOwnSessions(request.req);
      this.#warnIfOpen(request.req, request);
      this.#warnAboutIssuer(request.req);
      await this.#serve(request);
    } catch (error) {
      this.#fail(request, error);
    }
  }

  /** Returns the current numbers of sessions, streams and unanswered requests. */
  stats() {
    const relays = [...this.#relays];
    return {
      sessions: this.#sessions.size,
      streams: relays.filter(({ isStream }) => isStream).length,
      pending: relays.filter(({ isPending }) => isPending).length,
    };
  }

  /** Resolves to true if the target answers and the bridge still passes requests on to it. */
  async ready(): Promise<boolean> {
    return this.#closed === undefined && isReachable(this.#target, this.#options);
  }

  /** Ends every stream and request, and the sessions that no other process can serve. */
  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #serve(request: HttpRequest): Promise<void> {
    const { req, res, auth } = request;
    // The client left while an earlier middleware waited: 'close' has been emitted already.
    if (hasHungUp(res)) return;
    this.#guard(req);
    if (this.#closed) throw new BridgeError('closing');
    const method = methodOf(req, res);
    const session = this.#sessions.named(request);
    const relay = new Relay(request, method, this.#host);
    this.#relays.add(relay);
    if (session !== undefined) relay.use(session);
    const given = this.#callerHeaders(auth, req);
    const caller = given instanceof Promise ? await given : given;
    const sent = method === 'POST' ? await requestBody(req, this.#options.maxBodyBytes, userOf(auth)) : undefined;
    const prepared = this.#target.prepare();
    if (prepared !== undefined) await prepared;
    // The backend was closed, the token was withdrawn, or the client hung up.
    if (relay.isOver) return;
    requireAuthority(auth);
    relay.callerHeaders = caller;
    if (session !== undefined) session.callerHeaders = caller;
    this.#begin(relay, caller, sent);
  }

  #begin(relay: Relay, caller: HeaderRecord, { body, contentLength }: Partial<RequestBody> = {}): void {
    const headers = this.#targetHeaders(relay.request.req, { caller, sessionId: relay.session?.id, contentLength });
    const { method } = relay;
    // Some servers send the headers of a stream with its first event, which may come after hours.
    const timeoutMs = method === 'GET' ? 0 : this.#options.responseTimeoutSeconds * 1_000;
    relay.begin(this.#target.exchange({ method, headers, body, timeoutMs }, relay));
  }

  #headersFor(relay: Relay, status: number, headers: ResponseHeaders): Record<string, string> {
    const { method, session, request, callerHeaders } = relay;
    const isEnded = status === 404 || (method === 'DELETE' && status < 300);
    if (session !== undefined && isEnded) this.#sessions.forget(session);
    refuseFault(status, headers);
    const result = this.#clientHeaders(headers);
    const id = headerText(headers['mcp-session-id']);
    if (id === undefined || isEnded || status >= 400) return result;
    if (id !== session?.id) relay.use(this.#sessions.assigned(id, request, callerHeaders));
    if (relay.session !== undefined) result['mcp-session-id'] = relay.session.clientId;
    return result;
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
    const ending = endSession(this.#target, id, callerHeaders);
    this.#endings.add(ending);
    void ending.then(() => this.#endings.delete(ending));
  }

  #tick(): void {
    for (const relay of [...this.#relays]) relay.checkAuthority();
    this.#sessions.tick(performance.now());
  }

  async #end(): Promise<void> {
    clearInterval(this.#timer);
    for (const relay of [...this.#relays]) relay.end(new BridgeError('closing'));
    this.#sessions.endAll();
    await Promise.all(this.#endings);
    await this.#target.close();
  }
}

function methodOf(req: IncomingMessage, res: ServerResponse): RelayedMethod {
  const method = RELAYED_METHODS.find((each) => each === req.method);
  if (method !== undefined) return method;
  res.setHeader('allow', RELAYED_METHODS.join(', '));
  throw new BridgeError('method_not_allowed');
}
