import type { ServerResponse } from 'node:http';
import { isAnswered } from '../http/answered.js';
import { replyJson } from '../http/reply.js';
import { type Head, setHead } from '../http/set-head.js';
import { CollectedBytes } from '../telemetry/collected-bytes.js';
import { type AnswerType, answerTypeOf } from './answer-type.js';
import { EventRewriter, MAX_ANSWER_BYTES } from './event-rewriter.js';
import { UnreadableAnswer } from './list-filter.js';

const TOO_LONG = 'it is longer than 16 MiB';

type Callback = (() => void) | undefined;

export interface AnswerFilterOptions {
  /**
   * Returns the JSON text of a message or a batch, reduced to what the caller may see.
   *
   * @throws {UnreadableAnswer}
   */
  readonly rewrite: (json: string) => string;
  /** Reports that an answer cannot be read, and returns the JSON text that replaces it. */
  readonly refuse: (fault: string) => string;
  /** Passed to {@link answerTypeOf}. */
  readonly mayBePage: boolean;
}

/**
 * Passes an answer's JSON through `rewrite`, whichever response methods write it: a JSON body as a whole, an event stream event by
 * event. Replaces an answer that cannot be read with an error: status 502, or the answer's own status if that is 400 or more.
 * Within an event stream, the error replaces the event.
 */
export function filterAnswer(res: ServerResponse, options: AnswerFilterOptions): void {
  new AnswerFilter(res, options).install();
}

class AnswerFilter {
  readonly #res: ServerResponse;
  readonly #options: AnswerFilterOptions;
  /** The methods of the response before this filter replaced them: its own, or those of another middleware. */
  readonly #original: Pick<ServerResponse, 'writeHead' | 'write' | 'end' | 'flushHeaders'>;
  readonly #events: EventRewriter;
  #collected = new CollectedBytes();
  #type: AnswerType | undefined;
  /** True once `writeHead()` was called, and with it the methods with which later middlewares have replaced it. */
  #hasHead = false;

  constructor(res: ServerResponse, options: AnswerFilterOptions) {
    const { writeHead, write, end, flushHeaders } = res;
    this.#res = res;
    this.#options = options;
    this.#original = { writeHead, write, end, flushHeaders };
    const rewrite = (data: string): string => {
      try {
        return options.rewrite(data);
      } catch (error) {
        return options.refuse(faultOf(error));
      }
    };
    this.#events = new EventRewriter(rewrite, () => options.refuse(TOO_LONG));
  }

  install(): void {
    const res = this.#res;
    res.writeHead = ((...head: Head) => {
      this.#hasHead = true;
      if (!isAnswered(res)) setHead(res, head);
      if (this.#sendsHeadAtOnce()) this.#original.writeHead.call(res, res.statusCode);
      return res;
    }) as ServerResponse['writeHead'];
    res.flushHeaders = () => {
      if (this.#sendsHeadAtOnce()) this.#original.flushHeaders.call(res);
    };
    res.write = ((chunk: unknown, ...rest: unknown[]) => this.#write(bytesOf(chunk, rest), callbackOf(rest))) as never;
    res.end = ((...args: unknown[]) => {
      const [chunk, ...rest] = typeof args[0] === 'function' ? [undefined, ...args] : args;
      this.#end(bytesOf(chunk ?? '', rest), callbackOf(rest));
      return res;
    }) as ServerResponse['end'];
  }

  /** The way in which the answer is read. Determined at the first write: later writes are read the same way, whatever the headers say then. */
  #answerType(): Exclude<AnswerType, object> | 'refused' {
    if (this.#type === undefined) {
      this.#type = answerTypeOf(this.#res, this.#options.mayBePage);
      if (typeof this.#type === 'object') this.#replace(this.#type.fault);
      // Events may become shorter than the server says. With a wrong length, the next answer would count as a part of this one.
      if (this.#type === 'events') removeHeaders(this.#res, OF_BYTES);
    }
    return typeof this.#type === 'object' ? 'refused' : this.#type;
  }

  /** True if the head is sent as soon as it is written. Otherwise the body may change, and its length with it, so the head waits. */
  #sendsHeadAtOnce(): boolean {
    return this.#answerType() === 'events' || this.#answerType() === 'page';
  }

  #write(bytes: Buffer, callback: Callback): boolean {
    const type = this.#answerType();
    if (type === 'events') return this.#passOn(this.#events.push(bytes), callback);
    if (type === 'page') return this.#passOn(bytes, callback);
    if (type === 'json') this.#collect(bytes);
    callback?.();
    return true;
  }

  #collect(bytes: Buffer): void {
    const isTooLong = this.#collected.length + bytes.length > MAX_ANSWER_BYTES;
    if (!isTooLong) this.#collected.add(bytes);
    else {
      this.#collected = new CollectedBytes();
      this.#replace(TOO_LONG);
    }
  }

  #passOn(bytes: Buffer | string, callback: Callback): boolean {
    return (this.#original.write as (chunk: unknown, callback: Callback) => boolean).call(this.#res, bytes, callback);
  }

  #end(last: Buffer, callback: Callback): void {
    const type = this.#answerType();
    if (type === 'events') this.#finish(this.#events.push(last) + this.#events.rest(), callback);
    else if (type === 'page') this.#finish(last, callback);
    else if (type === 'json') this.#endJson(last, callback);
    else callback?.();
  }

  #finish(last: Buffer | string, callback: Callback): void {
    (this.#original.end as (chunk: unknown, callback: Callback) => unknown).call(this.#res, last, callback);
  }

  #endJson(last: Buffer, callback: Callback): void {
    const res = this.#res;
    this.#collect(last);
    if (typeof this.#type === 'object') {
      callback?.();
      return;
    }
    this.#completeHead();
    let rewritten: string;
    const whole = this.#collected.bytes;
    const text = decode(whole);
    try {
      const type = answerTypeOf(res, this.#options.mayBePage);
      if (typeof type === 'object') throw new UnreadableAnswer(type.fault);
      if (text === undefined) throw new UnreadableAnswer('it is not UTF-8');
      rewritten = this.#options.rewrite(text);
    } catch (error) {
      this.#replace(faultOf(error));
      callback?.();
      return;
    }
    this.#restore();
    // The original bytes, not the text: decoding drops a byte order mark.
    if (rewritten === text) {
      this.#finish(whole, callback);
      return;
    }
    const body = Buffer.from(rewritten);
    removeHeaders(res, OF_BYTES);
    res.setHeader('content-length', body.length);
    this.#finish(body, callback);
  }

  /** Answers instead of the server, and discards everything that the server still writes. */
  #replace(fault: string): void {
    const res = this.#res;
    this.#completeHead();
    this.#restore();
    removeHeaders(res, DESCRIPTIVE);
    const body = this.#options.refuse(fault);
    replyJson(res, res.statusCode >= 400 ? res.statusCode : 502, body, { 'cache-control': 'no-store' });
    this.#type = { fault };
    this.install();
  }

  /** Later middlewares add headers when `writeHead()` is called (`on-headers`): their methods are lost when the original ones come back. */
  #completeHead(): void {
    if (!this.#hasHead && !isAnswered(this.#res)) this.#res.writeHead(this.#res.statusCode);
  }

  /** Node's `end()` calls `writeHead()`, which must then send the head, so the original methods come back first. */
  #restore(): void {
    Object.assign(this.#res, this.#original);
  }
}

/** Headers that depend on a body's exact bytes or frame them. A proxy copies them from its server; with a changed body they would break the answer. */
const OF_BYTES = /^(?:content-(?:length|md5|digest)|transfer-encoding|trailer|etag|accept-ranges|digest|repr-digest)$/;

/** Headers that describe a body. They are removed if that body is not sent. */
const DESCRIPTIVE =
  /^(?:content-|transfer-encoding$|trailer$|etag$|last-modified$|accept-ranges$|digest$|repr-digest$)/;

function removeHeaders(res: ServerResponse, names: RegExp): void {
  for (const name of res.getHeaderNames()) if (names.test(name)) res.removeHeader(name);
}

function faultOf(error: unknown): string {
  if (error instanceof UnreadableAnswer) return error.message;
  throw error;
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decode(bytes: Buffer): string | undefined {
  try {
    return UTF8.decode(bytes);
  } catch {
    // The caller reports it.
    return undefined;
  }
}

function bytesOf(chunk: unknown, rest: readonly unknown[]): Buffer {
  if (typeof chunk !== 'string') return Buffer.from(chunk as Uint8Array);
  return Buffer.from(chunk, rest.find((item) => typeof item === 'string') as BufferEncoding | undefined);
}

function callbackOf(rest: readonly unknown[]): Callback {
  return rest.find((item) => typeof item === 'function') as Callback;
}
