import { headerText, isEventStream, type ResponseHeaders } from '../../targets/http/exchange.js';
import { isHeaderValue } from './header-rules.js';

/** The response headers that the client gets. Cookies, challenges and headers about the connection are not among them. */
const FORWARDED = ['allow', 'cache-control', 'content-length', 'content-type', 'mcp-protocol-version', 'retry-after'];

const STREAM_HEADERS = { 'cache-control': 'no-cache, no-transform', 'x-accel-buffering': 'no' };

/**
 * Creates the function that makes the headers of an answer to the client.
 *
 * @param further The option `responseHeaders`.
 */
export function createClientHeaders(further: readonly string[]) {
  const forwarded = [...FORWARDED, ...further];

  return (headers: ResponseHeaders): Record<string, string> => {
    const result: Record<string, string> = {};
    for (const name of forwarded) {
      const value = headerText(headers[name]);
      if (value !== undefined && isHeaderValue(value)) result[name] = value;
    }
    // Proxies must neither buffer nor compress a stream.
    return isEventStream(headers) ? Object.assign(result, STREAM_HEADERS) : result;
  };
}
