import type { IncomingMessage } from 'node:http';
import { withTrace } from '../../messages/meta-edit.js';
import { headerText, type ResponseHeaders } from '../../targets/http/exchange.js';
import { AnswerReader } from '../../telemetry/answer-reader.js';
import type { CallOptions } from '../../telemetry/call-record.js';
import type { CallStart, TraceCarrier } from '../../telemetry/call-tracer.js';
import {
  areCallsObserved,
  type ObservedCalls,
  observedCalls,
  observeLastCalls,
} from '../../telemetry/observe-calls.js';
import type { CallEnd } from '../../telemetry/observed-call.js';
import { callStartsIn } from './call-starts-in.js';
import type { RequestBody } from './request-body.js';

/** The records of the calls in one request that is forwarded to a remote server. */
export class RelayedCalls {
  /** The trace that is sent with the request in place of the client's; undefined if there is none. */
  readonly trace: TraceCarrier | undefined;
  readonly #calls: ObservedCalls;
  /** True for a single message in which the client has named a trace. */
  readonly #hasOwnTrace: boolean;
  #reader: AnswerReader | undefined;

  constructor(calls: ObservedCalls) {
    calls.isReported = true;
    this.#calls = calls;
    // A batch has one set of headers, and so one trace.
    const all = calls.values();
    const [trace] = all.map((call) => call.sendTo(undefined)?.carrier);
    this.trace = trace;
    const [call] = all;
    this.#hasOwnTrace = trace !== undefined && call !== undefined && all.length === 1 && hasTrace(call.start);
    calls.closeListeners();
  }

  /** Returns the body with this trace if the client wrote a trace into the body. Otherwise only the headers carry it. */
  traced(body: RequestBody['body']): RequestBody['body'] {
    if (this.trace === undefined || !this.#hasOwnTrace || !Buffer.isBuffer(body)) return body;
    return withTrace(body, this.trace);
  }

  /** @param session The id of the session, as the client knows it. */
  onStart(status: number, headers: ResponseHeaders, session: string | undefined): void {
    this.#calls.session ??= session;
    const type = headerText(headers['content-type']) ?? '';
    // A compressed answer is not forwarded.
    this.#reader = new AnswerReader(this.#calls, { status, type, encoding: '' });
  }

  onData(chunk: Buffer): void {
    this.#reader?.push(chunk);
  }

  onEnd(): void {
    this.#reader?.end();
  }

  /** Ends every call that has not ended. */
  end(end: CallEnd): void {
    this.#calls.endAll(end);
  }
}

function hasTrace({ params: { _meta: meta } }: CallStart): boolean {
  return typeof meta === 'object' && meta !== null && 'traceparent' in meta;
}

/** A request whose calls are recorded. */
interface ObservedRequest {
  /** True if the calls must be read from the body, because no earlier middleware has read them. */
  readonly readsBody: boolean;
  /** Begins the records. */
  begin(body: RequestBody['body']): RelayedCalls | undefined;
}

/** Creates the function to call when a request arrives. It returns undefined if nothing listens for its calls. */
export function createRelayObserver({ onCall, recordContent }: CallOptions) {
  const options = { onCall, recordContent };
  return (req: IncomingMessage): ObservedRequest | undefined => {
    const isKnown = observedCalls(req) !== undefined;
    if (!isKnown && !areCallsObserved(options)) return undefined;
    const since = performance.now();
    return {
      readsBody: !isKnown,
      begin(body) {
        const calls = observeLastCalls(req, options, () => callStartsIn(body, recordContent !== undefined), since);
        return calls && new RelayedCalls(calls);
      },
    };
  };
}
