import { numberInText } from '../messages/number-in-text.js';
import type { CallOutcome } from './call-record.js';
import { EventData } from './event-data.js';
import type { ObservedCalls } from './observe-calls.js';
import type { CallEnd, ObservedCall } from './observed-call.js';
import { outcomeOfResult } from './response-end.js';
import { ResponseReader } from './response-reader.js';
import type { ResponseListener, ScannedResponse } from './response-scanner.js';

/** The head of an answer. */
export interface AnswerHead {
  readonly status: number;
  /** The `Content-Type`; empty if there is none. */
  readonly type: string;
  /** The `Content-Encoding`; empty if there is none. It may be that of a later compression, which encodes the bytes after they were read. */
  readonly encoding: string;
}

const EVENT_STREAM = /^[ \t]*text\/event-stream[ \t]*(?:;|$)/i;

/** Reads the answer to the calls of one HTTP request while it is sent, and ends each call. It keeps no part of a long answer. */
export class AnswerReader implements ResponseListener {
  readonly #calls: ObservedCalls;
  readonly #head: AnswerHead;
  #isStream = false;
  readonly #source: { push(chunk: Buffer): void } | undefined;
  /** The ends of calls that count once the answer is complete. */
  #ends: (readonly [ObservedCall, CallEnd])[] | undefined;
  /** The first response without an id. A server that cannot read a request answers so. */
  #unassigned: CallEnd | undefined;
  #bytes = 0;

  constructor(calls: ObservedCalls, head: AnswerHead) {
    this.#calls = calls;
    this.#head = head;
    const { type } = head;
    const isJson = type === 'application/json';
    const isStream = !isJson && EVENT_STREAM.test(type);
    if (!isJson && !isStream && type !== '' && !/json/i.test(type)) return;
    let longest = 0;
    for (const call of calls.values()) longest = Math.max(longest, call.maxResultBytes);
    this.#isStream = isStream;
    const reader = new ResponseReader(this, longest);
    this.#source = isStream ? new EventData(reader) : reader;
  }

  push(chunk: Buffer): void {
    this.#bytes += chunk.length;
    this.#source?.push(chunk);
  }

  /** The answer is complete. Ends every call that has not ended. */
  end(): void {
    for (const [call, end] of this.#ends ?? []) call.end(end);
    const end = this.#unassigned ?? this.#endByStatus();
    for (const call of this.#calls.values()) call.end((end.outcome === 'target_failed' && call.cancellation) || end);
  }

  onResponse(response: ScannedResponse): void {
    const { key } = response;
    const number = numberInText(key);
    const call = this.#calls.claim(key) ?? (number === undefined ? undefined : this.#calls.claim(number));
    const end = endOf(response, call);
    if (key === undefined) this.#unassigned ??= end;
    if (call === undefined) return;
    // The calls in a JSON answer end with its last byte. The rest of a stream may come much later.
    if (this.#isStream) call.end(end);
    else {
      this.#ends ??= [];
      this.#ends.push([call, end]);
    }
  }

  #endByStatus(): CallEnd {
    const { status, encoding } = this.#head;
    const isUnread = status < 300 && (this.#source === undefined || isEncoded(encoding));
    return { outcome: isUnread ? 'answered' : (OUTCOME_BY_STATUS[status] ?? 'target_failed'), bytes: this.#bytes };
  }
}

function isEncoded(encoding: string): boolean {
  return encoding !== '' && encoding !== 'identity';
}

/** The outcomes of answers without a JSON-RPC response. */
const OUTCOME_BY_STATUS: Readonly<Record<number, CallOutcome>> = {
  401: 'denied',
  403: 'denied',
  408: 'timed_out',
  429: 'limited',
  504: 'timed_out',
};

function endOf({ isError, code, isToolError, bytes, text }: ScannedResponse, call: ObservedCall | undefined): CallEnd {
  if (isError) return { outcome: 'protocol_error', code, bytes };
  const outcome = outcomeOfResult(call?.start.method ?? '', () => isToolError);
  const isNeeded = text !== undefined && call !== undefined && bytes <= call.maxResultBytes;
  return { outcome, bytes, result: isNeeded ? resultIn(text) : undefined };
}

function resultIn(text: string): unknown {
  try {
    return (JSON.parse(text) as { result?: unknown }).result;
  } catch {
    // The answer is not JSON. The record has no result, and the client sees the same answer.
    return undefined;
  }
}
