import type { ResponseHeaders } from '../../targets/http/exchange.js';
import { isHeaderValue } from './header-rules.js';

/** What of a target's response comes back to the client. Its cookies, its logins and what is about its connection are not among it. */
const COMING_BACK = ['allow', 'cache-control', 'content-length', 'content-type', 'mcp-protocol-version', 'retry-after'];

const STREAM_HEADERS = { 'cache-control': 'no-cache, no-transform', 'x-accel-buffering': 'no' };

/** @param further The option `responseHeaders`. */
export function createClientHeaders(further: readonly string[]) {
  const comingBack = [...COMING_BACK, ...further];

  /** The headers of an answer to a client. */
  return (headers: ResponseHeaders): Record<string, string> => {
    const result: Record<string, string> = {};
    for (const name of comingBack) {
      const value = textOf(headers[name]);
      if (value !== undefined && isHeaderValue(value)) result[name] = value;
    }
    // So that no proxy on the way waits for more, or packs it.
    return isEventStream(headers) ? Object.assign(result, STREAM_HEADERS) : result;
  };
}

/** A header as one text; undefined where it was not sent. */
export function textOf(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : header?.join(', ');
}

export function isEventStream(headers: ResponseHeaders): boolean {
  return /^text\/event-stream[ \t]*(?:;|$)/i.test(textOf(headers['content-type']) ?? '');
}
