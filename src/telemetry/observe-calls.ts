import { channel } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import { type AuthInfo, apiKeyOf, getAuth } from '../core/auth-info.js';
import { CALL_CHANNEL } from '../core/channels.js';
import { mcpRouteOf } from '../core/mcp-route.js';
import { signedSessionOf } from '../core/own-sessions.js';
import { createPerRequestMember } from '../core/per-request.js';
import { requestIdOf } from '../core/request-id.js';
import { ISSUED_TOKEN_PREFIX } from '../oauth/credential-form.js';
import { callFollower } from './call-follower.js';
import { MAX_CONTENT_BYTES, notifyListener } from './call-listener.js';
import type { CallerCredential, CallOptions, CallRecord } from './call-record.js';
import { type CallStart, callTracer } from './call-tracer.js';
import { hasNamesToLearn, learnNames, MAX_LIST_BYTES } from './listed-names.js';
import { type CallEnd, type CallOwner, ObservedCall } from './observed-call.js';
import { traceIdOf, traceParentOf } from './trace-context.js';

const records = channel(CALL_CHANNEL);

/** Characters. */
const MAX_METHOD_LENGTH = 100;
const MAX_NAME_LENGTH = 1_000;

/** The calls of one HTTP request that are being recorded. */
export class ObservedCalls implements CallOwner {
  /** True if a backend ends the calls. Then the answer on the wire is not read. */
  isReported = false;
  /** The session of the calls, as the client knows it. */
  session: string | undefined;
  readonly #req: IncomingMessage;
  readonly #since: number;
  readonly #calls: readonly ObservedCall[];
  #listeners: readonly CallOptions[] = [];

  /** @param since The arrival of the request, on the clock of `performance.now()`. */
  constructor(req: IncomingMessage, starts: readonly CallStart[], since: number) {
    this.#req = req;
    this.#since = since;
    this.session = signedSessionOf(req)?.presented ?? req.headers['mcp-session-id']?.toString();
    callFollower.current?.onRequest(req);
    this.#calls = starts.map((given) => {
      const start = withinBounds(given);
      const parent = traceParentOf(req, start.params);
      const span = callTracer.current?.begin(start, parent, req);
      return new ObservedCall({ start, span, traceId: span?.traceId ?? traceIdOf(parent) }, this);
    });
  }

  /**
   * Returns the call with this id that has not ended. Two calls of a batch may have one id: the first of them.
   *
   * @param key In the spelling of `keyOf()`.
   */
  get(key: string | undefined): ObservedCall | undefined {
    return this.#calls.find(({ start, isOver }) => start.key === key && !isOver);
  }

  /** Returns the call with this id. If several calls of a batch have it, returns another one each time. */
  claim(key: string | undefined): ObservedCall | undefined {
    const call = this.#calls.find(({ start, isClaimed }) => start.key === key && !isClaimed);
    if (call !== undefined) call.isClaimed = true;
    return call;
  }

  values(): readonly ObservedCall[] {
    return this.#calls;
  }

  maxResultBytesOf({ start }: ObservedCall): number {
    if (hasNamesToLearn(start.method)) return MAX_LIST_BYTES;
    for (const { onCall, recordContent } of this.#listeners) if (onCall && recordContent) return MAX_CONTENT_BYTES;
    return 0;
  }

  /** Adds the options of one more middleware. A function that several middlewares have is called once, with content if one of them records it. */
  addListener(options: CallOptions): void {
    if (options.onCall === undefined) return;
    if (this.#listeners.length === 0) {
      this.#listeners = [options];
      return;
    }
    const same = this.#listeners.find(({ onCall }) => onCall === options.onCall);
    if (same?.recordContent !== undefined) return;
    this.#listeners = [...this.#listeners.filter((listener) => listener !== same), options];
  }

  /** Called when no further middleware adds a listener. If no listener wants the arguments, they are dropped before the call ends. */
  closeListeners(): void {
    for (const { onCall, recordContent } of this.#listeners) if (onCall && recordContent) return;
    for (const call of this.#calls) call.dropParams();
  }

  /** Ends every call that has not ended. */
  endAll(end: CallEnd): void {
    for (const call of this.#calls) call.end(end);
  }

  onEnd(call: ObservedCall, end: CallEnd): void {
    const record = this.#recordOf(call, end);
    const { method } = call.start;
    if (end.result !== undefined && hasNamesToLearn(method)) learnNames(record.route, method, end.result);
    this.#publish(record, call.start, end);
    call.span?.end(record);
  }

  #recordOf({ start, target, session, traceId }: ObservedCall, end: CallEnd): CallRecord {
    const auth = identityOf(this.#req);
    const durationMs = performance.now() - this.#since;
    return Object.freeze({
      time: Math.round(Date.now() - durationMs),
      route: mcpRouteOf(this.#req),
      target,
      method: start.method,
      name: start.name,
      issuer: textOf(auth?.payload.iss),
      user: auth?.subject,
      client: auth?.clientId,
      credential: credentialOf(auth),
      outcome: end.outcome,
      code: end.code,
      durationMs,
      bytesIn: start.bytes,
      bytesOut: end.bytes ?? 0,
      session: session ?? this.session,
      requestId: requestIdOf(this.#req),
      traceId,
    });
  }

  #publish(record: CallRecord, start: CallStart, end: CallEnd): void {
    records.publish(record);
    callFollower.current?.onEnd(record, this.#req);
    for (const options of this.#listeners) notifyListener(options, record, start, end);
  }
}

/** Clients choose methods and names, and listeners may keep records. */
function withinBounds(start: CallStart): CallStart {
  const { method, name } = start;
  if (method.length <= MAX_METHOD_LENGTH && (name === undefined || name.length <= MAX_NAME_LENGTH)) return start;
  return { ...start, method: cut(method, MAX_METHOD_LENGTH), name: name && cut(name, MAX_NAME_LENGTH) };
}

function cut(text: string, length: number): string {
  // A copy: a part of a string keeps the whole string in memory.
  return text.length <= length ? text : `${Buffer.from(text.slice(0, length)).toString()}…`;
}

const observed = createPerRequestMember<ObservedCalls>();

/** True if anything listens for calls. */
export function areCallsObserved({ onCall }: CallOptions): boolean {
  const isFollowed = callTracer.current !== undefined || callFollower.current !== undefined;
  return isFollowed || onCall !== undefined || records.hasSubscribers;
}

/**
 * Begins to record the calls of a request, or continues the records of an earlier middleware. Returns undefined if nothing listens for them.
 *
 * @param starts Called only if needed.
 * @param since The arrival of the request, on the clock of `performance.now()`. Ignored if an earlier middleware has begun.
 */
export function observeCalls(
  req: IncomingMessage,
  options: CallOptions,
  starts: () => readonly CallStart[],
  since = performance.now(),
): ObservedCalls | undefined {
  const known = continueCalls(req, options);
  if (known !== undefined) return known;
  const calls = beginCalls(req, options, starts, since);
  if (calls !== undefined) observed.set(req, calls);
  return calls;
}

/**
 * Like {@link observeCalls}, for the last middleware that records calls: it ends them itself, and calls `closeListeners()`. The records are not
 * stored on the request, which costs more than making them.
 */
export function observeLastCalls(
  req: IncomingMessage,
  options: CallOptions,
  starts: () => readonly CallStart[],
  since: number,
): ObservedCalls | undefined {
  return continueCalls(req, options) ?? beginCalls(req, options, starts, since);
}

function continueCalls(req: IncomingMessage, options: CallOptions): ObservedCalls | undefined {
  const known = observed.get(req);
  known?.addListener(options);
  return known;
}

function beginCalls(
  req: IncomingMessage,
  options: CallOptions,
  starts: () => readonly CallStart[],
  since: number,
): ObservedCalls | undefined {
  if (!areCallsObserved(options)) return undefined;
  const calls = new ObservedCalls(req, starts(), since);
  calls.addListener(options);
  return calls;
}

/** Returns the calls of this request that an earlier middleware has begun to record. */
export function observedCalls(req: IncomingMessage): ObservedCalls | undefined {
  return observed.get(req);
}

function identityOf(req: IncomingMessage): AuthInfo | undefined {
  try {
    return getAuth(req);
  } catch {
    // Another middleware replaced the request object. The backend refuses that.
    return undefined;
  }
}

function credentialOf(auth: AuthInfo | undefined): CallerCredential {
  if (auth === undefined) return 'anonymous';
  if (apiKeyOf(auth) !== undefined) return 'api_key';
  if (auth.token.startsWith(ISSUED_TOKEN_PREFIX)) return 'issued_token';
  return 'alg' in auth.header ? 'jwt' : 'opaque_token';
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
