import type { AuthInfo } from '../../core/auth-info.js';
import { ShortLivedSet } from '../../core/short-lived.js';
import { BridgeError, type BridgeErrorCode } from '../../messages/bridge-error.js';
import { readChildLine } from '../../messages/child-line.js';
import { applyEdits } from '../../messages/json-members.js';
import { keyInParams, readMessage } from '../../messages/json-rpc.js';
import { numberInText } from '../../messages/number-in-text.js';
import type { Connection, ConnectionListener, Sender, SingleTarget } from '../connection.js';
import { UnexpectedOutput } from '../unexpected-output.js';
import { Waiters } from '../waiters.js';
import type { ResponseHeaders } from './exchange.js';
import { headersOfMessage, headersOfStream } from './message-headers.js';
import { inTime, MessageOrder } from './message-order.js';
import type { MessageResponse } from './message-response.js';
import type { RemoteRecipe } from './remote-recipe.js';
import { RemoteRequest, type RequestHost } from './remote-request.js';
import { RemoteStream } from './remote-stream.js';
import { TargetSession } from './target-session.js';
import { Uploads } from './uploads.js';

/** The longest time that the end of a connection waits for the answer to `initialize`, in milliseconds. */
const MAX_OPENING_MS = 2_000;

/** A conversation with a remote server, message by message: a session, or requests of a revision without sessions. */
export class RemoteConnection implements Connection {
  readonly target: SingleTarget;
  isProbed = false;
  readonly waiters: Waiters;
  readonly ended: Promise<void>;
  readonly #recipe: RemoteRecipe;
  readonly #session: TargetSession;
  readonly #requests = new ShortLivedSet<RemoteRequest>();
  readonly #uploads = new Uploads();
  readonly #order = new MessageOrder();
  readonly #unexpectedOutput: UnexpectedOutput;
  readonly #host: RequestHost;
  #listener: ConnectionListener | undefined;
  #auth: AuthInfo | undefined;
  #stream: RemoteStream | undefined;
  #isPaused = false;
  /** True once the server has answered anything. */
  #isReached = false;
  #isAlive = true;
  #resolveEnded: () => void = () => undefined;
  #stopping: Promise<void> | undefined;

  /** @param auth The caller who opens the connection. */
  constructor(recipe: RemoteRecipe, auth: AuthInfo | undefined) {
    this.#recipe = recipe;
    this.target = { name: recipe.name };
    this.#auth = auth;
    this.#session = new TargetSession(recipe);
    this.#host = this.#createHost();
    this.waiters = new Waiters(recipe);
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    this.#unexpectedOutput = new UnexpectedOutput(
      (text) => recipe.logger[this.isProbed ? 'debug' : 'warn'](`${recipe.who}: ${text}`),
      (size) => `an answer ${size}`,
    );
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  listen(listener: ConnectionListener): void {
    this.#listener = listener;
    if (!this.#isAlive) queueMicrotask(() => listener.gone('session_ended'));
  }

  write(bytes: Buffer, sender: Sender = { auth: this.#auth }): void {
    const message = readMessage(bytes);
    if (message === undefined || !this.#isAlive) return;
    this.#auth = sender.auth;
    const cancels = message.method === 'notifications/cancelled';
    const cancelled = cancels ? this.#requestWith(keyInParams(message, 'requestId')) : undefined;
    // Without a session, hanging up cancels a request (2026-07-28, Cancellation).
    if (cancelled?.version !== undefined) {
      cancelled.abort();
      return;
    }
    const request = new RemoteRequest(message, sender, this.#host);
    this.#requests.add(request);
    void request.accepted.then(this.#uploads.begin(bytes.length));
    const before = this.#order.next;
    void before.then(() => this.#send(request));
    if (message.kind === 'request') return;
    const opens = message.method === 'notifications/initialized';
    const accepted = this.#order.add(
      before.then(() => request.accepted),
      () => (opens ? this.#stream?.begun : undefined),
    );
    // A server does not answer a cancelled request, and may keep its stream open.
    if (cancelled !== undefined) void accepted.then(() => cancelled.abort());
  }

  whenWritable(since: number, bytes = 0): Promise<void> | undefined {
    const drained = this.#uploads.drained();
    return drained && this.waiters.wait(drained, since, bytes);
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#stream?.resume();
    for (const request of this.#requests.values()) request.resume();
  }

  logUnreadable(bytes: Buffer): void {
    this.#unexpectedOutput.add(bytes);
  }

  logLateStart(seconds: number): void {
    const { who, url, logger } = this.#recipe;
    const address = url.origin + url.pathname;
    logger.error(`${who}: the MCP server at ${address} did not answer within ${seconds} s (startTimeoutSeconds)`);
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#end();
    return this.#stopping;
  }

  async #end(): Promise<void> {
    this.#isAlive = false;
    this.#stream?.abort();
    const opening = this.#requests.values().find(({ sent }) => sent.method === 'initialize');
    // Only the answer has the id and the revision of the session, which would otherwise stay open at the server.
    if (opening !== undefined) await inTime(opening.whenAnswered(), MAX_OPENING_MS);
    for (const request of this.#requests.values()) request.abort();
    await this.#session.end(this.#auth);
    this.#resolveEnded();
  }

  #createHost(): RequestHost {
    const connection = this;
    return {
      maxMessageBytes: this.#recipe.maxMessageBytes,
      get isPaused() {
        return connection.#isPaused;
      },
      logFailure: this.#recipe.logFailure,
      get: (lastEventId, response) => void this.#get(lastEventId, response),
      checkSession: async (auth = this.#auth) => {
        if (await this.#session.isLost(auth)) this.#lose('session_ended');
      },
      message: (bytes, requestKey) => this.#deliver(bytes, requestKey),
      oversized: (head, tail) => this.#unexpectedOutput.addLong(head) || this.#listener?.oversized(head, tail),
      onAnswer: (request, status, headers) => this.#onAnswer(request, status, headers),
      onErrorBody: (request, bytes) => this.#deliverError(request, bytes),
      onOver: (request, error, detail) => this.#onOver(request, error, detail),
    };
  }

  async #send(request: RemoteRequest): Promise<void> {
    const { sent, sender, response } = request;
    try {
      const own = await this.#session.headersFor(sender.auth);
      const headers = headersOfMessage(sent, own, sender);
      await this.#recipe.target.prepare();
      if (request.isOver) return;
      const { target, responseMs } = this.#recipe;
      const exchange = target.exchange({ method: 'POST', headers, body: sent.bytes, timeoutMs: responseMs }, response);
      response.begin(exchange, () => this.#recipe.describe(own));
    } catch (error) {
      request.onFailure(asBridgeError(error));
    }
  }

  /** Opens or resumes an event stream. */
  async #get(lastEventId: string | undefined, response: MessageResponse): Promise<void> {
    try {
      const own = await this.#session.headersFor(this.#auth);
      const headers = headersOfStream(own, lastEventId);
      const exchange = this.#recipe.target.exchange({ method: 'GET', headers, timeoutMs: 0 }, response);
      response.begin(exchange, () => this.#recipe.describe(own));
    } catch (error) {
      response.fail(asBridgeError(error));
    }
  }

  #onAnswer({ sent, version }: RemoteRequest, status: number, headers: ResponseHeaders): void {
    this.#isReached = true;
    if (status === 404 && version === undefined && this.#session.isOpen) throw new BridgeError('session_ended');
    if (sent.kind !== 'request' && status >= 400) this.#recipe.logRefusal(sent.kind, status);
    this.#session.noteAnswer(sent.method, status, headers);
    if (sent.method !== 'notifications/initialized' || status >= 300) return;
    this.#stream ??= new RemoteStream(this.#host, undefined, (isGone) => {
      if (isGone && this.#session.isOpen) this.#lose('session_ended');
    });
  }

  #deliver(bytes: Buffer, requestKey?: string): void {
    const message = readChildLine(bytes);
    if (message?.kind === 'response') {
      const request = this.#requestWith(message.key) ?? this.#requestWith(numberInText(message.key));
      if (request?.sent.method === 'initialize') this.#session.readRevision(message);
      request?.answered();
    }
    if (this.#isAlive) this.#listener?.message(bytes, message, requestKey === undefined ? undefined : [requestKey]);
  }

  /** Many servers answer a request that they refuse with an error whose id is null. */
  #deliverError(request: RemoteRequest, bytes: Buffer): void {
    const error = readChildLine(bytes);
    const { id } = request.sent;
    if (error?.kind !== 'response' || error.idAt === undefined || id === undefined) return;
    this.#deliver(error.key === undefined ? applyEdits(bytes, [{ ...error.idAt, text: id }]) : bytes);
  }

  #onOver(request: RemoteRequest, error?: BridgeError, detail?: string): void {
    this.#requests.delete(request);
    if (error === undefined || !this.#isAlive) return;
    this.#recipe.logFailure(error, detail);
    const { id, key, kind, method } = request.sent;
    const isUseless = !this.#isReached || method === 'initialize' || error.reason === 'session_ended';
    if (isUseless) this.#lose(error.reason);
    if (isUseless || kind !== 'request') return;
    if (this.#listener?.failed && key !== undefined) this.#listener.failed(key, error.reason);
    else this.#listener?.message(error.response(id));
  }

  #lose(reason: BridgeErrorCode): void {
    if (!this.#isAlive) return;
    if (reason === 'session_ended') {
      this.#session.forget();
      this.#recipe.logLostSession();
    }
    void this.stop();
    this.#listener?.gone(reason);
  }

  #requestWith(key: string | undefined): RemoteRequest | undefined {
    if (key === undefined) return undefined;
    for (const request of this.#requests.values()) {
      if (request.sent.kind === 'request' && request.sent.key === key) return request;
    }
    return undefined;
  }
}

/** Any other error means that undici cannot be loaded. */
function asBridgeError(error: unknown): BridgeError {
  return error instanceof BridgeError ? error : new BridgeError('target_unreachable');
}
