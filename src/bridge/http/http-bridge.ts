import type { IncomingMessage } from 'node:http';
import type { Advice } from '../../core/advice.js';
import { markOwnSessions } from '../../core/own-sessions.js';
import { userOf } from '../../core/principal.js';
import type { Caller } from '../../core/quota.js';
import { requireNotWithdrawn } from '../../core/token-validity.js';
import { hasHungUp } from '../../http/hang-up.js';
import { BridgeError } from '../../messages/bridge-error.js';
import { createMessageRefusalLog, type MessageRefusalLog } from '../../messages/message-refusal-log.js';
import { type Exchange, type HeaderRecord, headerText, type ResponseHeaders } from '../../targets/http/exchange.js';
import { createFailureLog, createNotFoundWarning } from '../../targets/http/failure-log.js';
import { HttpTarget } from '../../targets/http/http-target.js';
import { refuseFault } from '../../targets/http/response-fault.js';
import { faultOfTarget } from '../../targets/http/target-calls.js';
import { endOfError } from '../../telemetry/outcomes.js';
import { replyFailure } from '../answers/reply-failure.js';
import { Drain } from '../drain.js';
import { createOpenWarning } from '../open-warning.js';
import { createRebindingGuard, type RebindingGuard } from '../rebinding-guard.js';
import { createStatsChannel } from '../stats-channel.js';
import { awaitAbandoned, mayOpenSession } from './abandoned-exchange.js';
import { createAnsweredRequest } from './answered-request.js';
import { createCallerHeaders } from './caller-headers.js';
import { createIssuerWarning } from './caller-issuer.js';
import type { CallerTokens } from './caller-token.js';
import { createClientHeaders } from './client-headers.js';
import type { ResolvedHttp } from './http-options.js';
import { type HttpRequest, methodOf } from './http-request.js';
import { liveSessionsOf } from './live-sessions.js';
import { opensSession, revisionOf } from './opens-session.js';
import { Relay, type RelayHost } from './relay.js';
import { createRelayObserver } from './relayed-calls.js';
import { Relays } from './relays.js';
import { RemoteSessions } from './remote-sessions.js';
import { type RequestBody, requestBody } from './request-body.js';
import { RequestsInFlight } from './requests-in-flight.js';
import { credentialOptions, maySendCredentials } from './sent-credentials.js';
import { SessionEndings } from './session-endings.js';
import { createTargetHeaders } from './target-headers.js';

const WHO = 'mcpHttpBackend()';
const TICK_MS = 1_000;

/** Forwards requests to one target. Sessions have owners, and streams end with the token of their caller. Messages are not read. */
export class HttpBridge {
  readonly #options: ResolvedHttp;
  readonly #advice: Advice;
  readonly #target: HttpTarget;
  readonly #sessions: RemoteSessions;
  readonly #inFlight: RequestsInFlight;
  readonly #drain = new Drain({ isBusy: () => this.#relays.isBusy, endStreams: () => this.#relays.endStreams() });
  readonly #guard: RebindingGuard;
  readonly #warnIfOpen: (req: IncomingMessage, caller: Caller) => void;
  readonly #warnAboutIssuer: (req: IncomingMessage) => void;
  readonly #callerHeaders: ReturnType<typeof createCallerHeaders>;
  readonly #targetHeaders: ReturnType<typeof createTargetHeaders>;
  readonly #clientHeaders: ReturnType<typeof createClientHeaders>;
  readonly #answeredRequest: ReturnType<typeof createAnsweredRequest>;
  readonly #observe: ReturnType<typeof createRelayObserver>;
  readonly #logRefusal: MessageRefusalLog;
  readonly #log: ReturnType<typeof createFailureLog>;
  readonly #warnAboutNotFound: () => void;
  readonly #host: RelayHost = {
    headersFor: (relay, status, headers) => this.#headersFor(relay, status, headers),
    fail: (request, error, detail) => this.#fail(request, error, 'later', detail),
    onBroken: ({ error, detail }) => this.#log(error, detail),
    onAbandoned: (relay, exchange) => this.#onAbandoned(relay, exchange),
    onUnwanted: (relay, status, headers) => this.#endUnassigned(relay, status, headers),
    endOpened: (session) => this.#sessions.end(session),
    onClosed: (relay) => this.#onClosed(relay),
  };
  readonly #relays = new Relays();
  readonly #endings: SessionEndings;
  readonly #publish = createStatsChannel('express-mcp-auth:http');
  readonly #timer: NodeJS.Timeout;
  #closed: Promise<void> | undefined;

  constructor(options: ResolvedHttp, advice: Advice, tokens: CallerTokens | undefined) {
    this.#options = options;
    this.#advice = advice;
    this.#target = new HttpTarget(options);
    this.#endings = new SessionEndings(this.#target, tokens);
    this.#sessions = new RemoteSessions(options, advice, (session) => this.#endings.begin(session));
    this.#inFlight = new RequestsInFlight(options);
    this.#guard = createRebindingGuard(WHO, options, advice);
    this.#warnIfOpen = createOpenWarning(WHO, { ...options, credentials: credentialOptions(options, advice) });
    this.#warnAboutIssuer = createIssuerWarning(options.callerToken?.issuer, options.logger);
    this.#callerHeaders = createCallerHeaders(options, tokens);
    this.#targetHeaders = createTargetHeaders(options.requestHeaders);
    this.#clientHeaders = createClientHeaders(options.responseHeaders);
    this.#answeredRequest = createAnsweredRequest(options, advice);
    this.#observe = createRelayObserver(options);
    this.#logRefusal = createMessageRefusalLog(WHO, options.logger, { advice, except: ['unknown_session'] });
    this.#log = createFailureLog(WHO, options, advice);
    this.#warnAboutNotFound = createNotFoundWarning(WHO, options);
    this.#timer = setInterval(() => this.#tick(), TICK_MS).unref();
  }

  /** Answers one request. Never rejects: an error that is neither the client's nor the target's fault goes to `next`. */
  async handle(request: HttpRequest): Promise<void> {
    let relay: Relay | undefined;
    try {
      relay = this.#open(request);
      if (relay === undefined) return;
      const { req, auth } = request;
      const { method, session } = relay;
      const observed = this.#observe(req);
      const given = this.#callerHeaders(auth, req);
      const caller = given instanceof Promise ? await given : given;
      const readsCalls = observed?.readsBody === true;
      const sent = method === 'POST' ? await requestBody(req, this.#options, readsCalls, userOf(auth)) : undefined;
      const prepared = this.#target.prepare();
      if (prepared !== undefined) await prepared;
      // The backend was closed, the token was withdrawn, or the client hung up.
      if (relay.isOver) return;
      requireNotWithdrawn(auth);
      relay.sender = { auth, headers: caller, revision: revisionOf(req, session ? undefined : sent?.body) };
      session?.noteSender(relay.sender);
      relay.calls = sent && observed?.begin(sent.body);
      this.#begin(relay, caller, sent);
    } catch (error) {
      relay?.calls?.end(endOfError(error));
      this.#fail(request, error, 'handler');
    }
  }

  /** Returns the current numbers of sessions, streams and unanswered requests. */
  stats() {
    return { sessions: this.#sessions.size, ...this.#relays.counts() };
  }

  /** Returns the open sessions that this process knows. */
  sessions = () => liveSessionsOf(this.#sessions, this.#relays);

  /** Resolves to undefined if the target answers and the bridge still passes requests on to it; otherwise to the reason, for a log. */
  async fault(): Promise<string | undefined> {
    if (this.#closed !== undefined || this.#drain.hasBegun) return 'it is closing';
    return faultOfTarget(this.#target, this.#options, maySendCredentials(this.#options, this.#advice));
  }

  /** Opens no more sessions, and ends streams of sessions in which no request is in flight. See `Drain.begin()`. */
  drain(seconds: number): Promise<void> {
    return this.#drain.begin(seconds);
  }

  /** Ends every stream and request, and the sessions that no other process can serve. */
  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  /** Checks a request and counts it. Undefined if its client has left. */
  #open(request: HttpRequest): Relay | undefined {
    const { req, res } = request;
    markOwnSessions(req);
    this.#warnIfOpen(req, request);
    this.#warnAboutIssuer(req);
    // The client left while an earlier middleware waited: 'close' has been emitted already.
    if (hasHungUp(res)) return undefined;
    this.#guard(req, request.isChecked);
    if (this.#closed) throw new BridgeError('closing');
    const method = methodOf(req, res);
    const session = this.#sessions.named(request);
    const relay = new Relay(request, method, this.#inFlight.add(request, req), this.#host);
    this.#relays.add(relay);
    if (session !== undefined) relay.use(session);
    this.#drain.check();
    return relay;
  }

  #begin(relay: Relay, caller: HeaderRecord, { body, contentLength }: Partial<RequestBody> = {}): void {
    const { method, calls, session } = relay;
    const own = { caller, sessionId: session?.id, contentLength, trace: calls?.trace };
    const headers = this.#targetHeaders(relay.request.req, own);
    // Some servers send the headers of a stream with its first event, which may come after hours.
    const timeoutMs = method === 'GET' ? 0 : this.#options.responseTimeoutSeconds * 1_000;
    relay.mayOpenSession = session === undefined && mayOpenSession(body);
    if (this.#drain.hasBegun && opensSession(body)) this.#drain.requireOpen();
    const traced = body && (calls?.traced(body) ?? body);
    relay.begin(this.#target.exchange({ method, headers, body: traced, timeoutMs }, relay));
  }

  #headersFor(relay: Relay, status: number, headers: ResponseHeaders): Record<string, string> {
    const { method, session, request, sender } = relay;
    // To a GET, 404 may only mean that the server has no stream. If the session is over, the answer to the next POST says so.
    const isEnded = (status === 404 && method !== 'GET') || (method === 'DELETE' && status < 300);
    if (session !== undefined && isEnded) this.#sessions.forget(session);
    if (session === undefined && status === 404) this.#warnAboutNotFound();
    try {
      refuseFault(status, headers, () => this.#answeredRequest(relay));
    } catch (error) {
      this.#endUnassigned(relay, status, headers);
      throw error;
    }
    const result = this.#clientHeaders(headers);
    const id = headerText(headers['mcp-session-id']);
    if (id === undefined || isEnded || status >= 400) return result;
    if (id !== session?.id) relay.use(this.#sessions.assigned(id, request, sender));
    if (relay.session !== undefined) result['mcp-session-id'] = relay.session.clientId;
    return result;
  }

  /** Ends the session of a response that does not reach its client. */
  #endUnassigned({ request, session, sender }: Relay, status: number, headers: ResponseHeaders): void {
    const id = headerText(headers['mcp-session-id']);
    if (session !== undefined || id === undefined || status >= 400) return;
    this.#sessions.endUnassigned(id, request, sender);
  }

  /** The request counts until the target has begun to answer, so that clients which leave at once cannot send more than others. */
  #onAbandoned(relay: Relay, exchange: Exchange): void {
    const removeFromCount = this.#relays.take(relay);
    awaitAbandoned(exchange, {
      onHeaders: (status, headers) => this.#endUnassigned(relay, status, headers),
      onOver: () => removeFromCount?.(),
    });
  }

  #onClosed(relay: Relay): void {
    this.#relays.take(relay)?.();
    this.#drain.check();
  }

  #fail(request: HttpRequest, error: unknown, where: 'handler' | 'later', detail?: string): void {
    this.#logRefusal(error);
    this.#log(error, detail);
    try {
      replyFailure(request, error);
    } catch (other) {
      if (where === 'handler') request.next(other);
      else request.breakOff(request.res, other);
    }
  }

  #tick(): void {
    this.#relays.checkToken();
    this.#sessions.tick(performance.now());
    this.#drain.check();
    this.#publish(this.stats());
  }

  async #end(): Promise<void> {
    clearInterval(this.#timer);
    this.#relays.endAll();
    this.#sessions.endAll();
    await this.#endings.settle();
    await this.#target.close();
    this.#publish(this.stats());
  }
}
