import { channel } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import { type AuthInfo, apiKeyOf, getAuth } from '../core/auth-info.js';
import { ignoreRejection } from '../core/ignore-rejection.js';
import { mcpRouteOf } from '../core/mcp-route.js';
import { createPerRequest } from '../core/per-request.js';
import { requestIdOf } from '../core/request-id.js';
import { ISSUED_TOKEN_PREFIX } from '../oauth/credential-form.js';
import { announcesNames, learnNames, MAX_LIST_BYTES } from './announced-names.js';
import type { CallerCredential, CallOptions, CallRecord } from './call-record.js';
import { type CallStart, callTracer } from './call-tracer.js';
import { type CallEnd, ObservedCall } from './observed-call.js';
import { traceIdOf, traceParentOf } from './trace-context.js';

const records = channel('express-mcp-auth:call');

/** The longest answer whose result `recordContent` gets, in bytes. */
const MAX_CONTENT_BYTES = 65_536;

/** The calls of one HTTP request that are being recorded. */
export class ObservedCalls {
  /** True if a backend says how the calls end. Then the answer on the wire need not be read. */
  isReported = false;
  /** The session of the calls, as the client knows it. */
  session: string | undefined;
  readonly #byKey = new Map<string, ObservedCall>();
  readonly #listeners = new Set<CallOptions>();

  constructor(req: IncomingMessage, starts: readonly CallStart[]) {
    const time = Date.now();
    const began = performance.now();
    this.session = req.headers['mcp-session-id']?.toString();
    const onEnd = ({ start, target, span }: ObservedCall, end: CallEnd): void => {
      const traceId = span?.traceId ?? traceIdOf(traceParentOf(req, start.params));
      const record = {
        time,
        ...this.#describe(req, start, end),
        target,
        durationMs: performance.now() - began,
        traceId,
      };
      if (end.result !== undefined && announcesNames(start.method)) learnNames(record.route, start.method, end.result);
      this.#publish(record, start, end);
      span?.end(record);
    };
    for (const start of starts) {
      const span = callTracer.current?.begin(start, traceParentOf(req, start.params), req);
      this.#byKey.set(start.key, new ObservedCall(start, span, onEnd));
    }
  }

  /** @param key In the spelling of `keyOf()`. */
  get(key: string | undefined): ObservedCall | undefined {
    return key === undefined ? undefined : this.#byKey.get(key);
  }

  values(): Iterable<ObservedCall> {
    return this.#byKey.values();
  }

  /** True if the parsed result of an answer is needed, for `recordContent`. */
  get wantsContent(): boolean {
    for (const { recordContent } of this.#listeners) if (recordContent !== undefined) return true;
    return false;
  }

  /**
   * Returns the bytes of the longest answer to this call whose result is needed, parsed: for `recordContent`, or for the names in a list.
   * 0 if it is not needed.
   */
  maxResultBytesOf({ start }: ObservedCall): number {
    if (announcesNames(start.method)) return MAX_LIST_BYTES;
    return this.wantsContent ? MAX_CONTENT_BYTES : 0;
  }

  /** Adds the options of one more middleware. */
  addListener(options: CallOptions): void {
    this.#listeners.add(options);
  }

  /** Ends every call that has not ended. */
  endAll(end: CallEnd): void {
    for (const call of this.#byKey.values()) call.end(end);
  }

  #describe(req: IncomingMessage, { method, name, bytes }: CallStart, end: CallEnd) {
    const auth = identityOf(req);
    return {
      route: mcpRouteOf(req),
      method,
      name,
      issuer: textOf(auth?.payload.iss),
      user: auth?.subject,
      client: auth?.clientId,
      credential: credentialOf(auth),
      outcome: end.outcome,
      code: end.code,
      bytesIn: bytes,
      bytesOut: end.bytes ?? 0,
      session: this.session,
      requestId: requestIdOf(req),
    };
  }

  #publish(record: CallRecord, { method, name, params }: CallStart, { result }: CallEnd): void {
    records.publish(record);
    for (const { onCall, recordContent } of this.#listeners) {
      if (onCall === undefined) continue;
      try {
        const content = recordContent?.({ method, name, params, result });
        ignoreRejection(onCall(content === undefined ? record : { ...record, content }));
      } catch {
        // An error in a listener must not change the answer.
      }
    }
  }
}

const observed = createPerRequest<ObservedCalls>();

/** True if anything listens for calls. */
export function areCallsObserved({ onCall }: CallOptions): boolean {
  return onCall !== undefined || records.hasSubscribers || callTracer.current !== undefined;
}

/**
 * Begins to record the calls of a request; undefined if nothing listens for them. If an earlier middleware has begun, its record goes on.
 *
 * @param starts Called only if needed.
 */
export function observeCalls(
  req: IncomingMessage,
  options: CallOptions,
  starts: () => readonly CallStart[],
): ObservedCalls | undefined {
  const known = observed.get(req);
  if (known === undefined && !areCallsObserved(options)) return undefined;
  const calls = known ?? new ObservedCalls(req, starts());
  if (known === undefined) observed.set(req, calls);
  calls.addListener(options);
  return calls;
}

/** The calls of this request that an earlier middleware has begun to record. */
export function observedCalls(req: IncomingMessage): ObservedCalls | undefined {
  return observed.get(req);
}

function identityOf(req: IncomingMessage): AuthInfo | undefined {
  try {
    return getAuth(req);
  } catch {
    // A replaced request object, which the backend refuses.
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
