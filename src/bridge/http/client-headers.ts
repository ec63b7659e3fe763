import { NO_SNIFF } from '../../http/no-sniff.js';
import { headerText, isEventStream, type ResponseHeaders } from '../../targets/http/exchange.js';
import { isHeaderValue } from './header-rules.js';

/** The response headers that the client gets. Cookies, challenges and headers about the connection are not among them. */
const FORWARDED = ['allow', 'cache-control', 'content-length', 'content-type', 'mcp-protocol-version', 'retry-after'];

const STREAM_HEADERS = { 'cache-control': 'no-cache, no-transform', 'x-accel-buffering': 'no' };

/** A media type of which no browser runs anything: JSON, events or text. A parameter with a comma is not accepted, even in quotes: not all browsers look at those. */
const HARMLESS = String.raw`(?:application/(?:[\w.+-]+\+)?json(?:-rpc|request)?|text/(?:event-stream|plain))[ \t]*(?:;[^,]*)?`;

/** Several types too, as of a header that was sent twice: browsers choose one of them, servers and clients others. */
const HARMLESS_TYPES = new RegExp(`^${HARMLESS}(?:,[ \\t]*${HARMLESS})*$`, 'i');

/** For an answer whose type is harmful or missing: browsers guess a missing one, and not all of them know `nosniff`. */
const NO_PAGE = { ...NO_SNIFF, 'content-security-policy': "default-src 'none'; sandbox" };

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
    preventPage(result);
    // Proxies must neither buffer nor compress a stream.
    return isEventStream(headers) ? Object.assign(result, STREAM_HEADERS) : result;
  };
}

/**
 * Keeps browsers from showing the answer as a page or running it as a script. This server's pages are of the same origin, so the code of
 * a target could use them as their user: the admin page, or the consent page of the OAuth proxy.
 */
function preventPage(headers: Record<string, string>): void {
  const type = headers['content-type'];
  if (type !== undefined && HARMLESS_TYPES.test(type)) {
    Object.assign(headers, NO_SNIFF);
    return;
  }
  Object.assign(headers, NO_PAGE);
  // No type is added where there is none: some clients conclude from a type that there is a body.
  if (type !== undefined) headers['content-type'] = 'text/plain';
}
