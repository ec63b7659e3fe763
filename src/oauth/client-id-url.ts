import { canParseUrl } from '../http/can-parse-url.js';
import { isPlainHost } from './plain-host.js';

/** Characters. */
const MAX_LENGTH = 512;

/** The characters that a URL may have (RFC 3986), without `#` and `@`. */
const URL_TEXT = /^https:\/\/(?:[\w.~:/?[\]!$&'()*+,;=-]|%[\dA-F]{2})+$/i;

/** The rule of {@link clientIdUrl}, as the end of a sentence with "must be …". */
export const CLIENT_ID_URL = `an https URL with a path, on port 443 (left out) or above 1023, without user name, fragment or dot segment (RFC 3986), and at most ${MAX_LENGTH} characters`;

/**
 * Parses the URL of a client's metadata document, which is the id of the client (draft-ietf-oauth-client-id-metadata-document, "Client
 * Identifier"). Undefined if it is not exactly as it would be requested: two spellings of one URL would be two clients with one host.
 */
export function clientIdUrl(text: string): URL | undefined {
  if (text.length > MAX_LENGTH || !URL_TEXT.test(text) || !canParseUrl(text)) return undefined;
  const url = new URL(text);
  // `URL` lower-cases the host, reads other forms of IP addresses, drops port 443, and resolves dot segments, also percent-encoded ones.
  // Requests drop an empty query.
  const isExact = url.href === text && !text.endsWith('?');
  return isExact && url.pathname !== '/' && isPlainHost(url.hostname) && isAllowedPort(url) ? url : undefined;
}

/** Ports below 1024 belong to services that our requests could disturb. */
function isAllowedPort({ port }: URL): boolean {
  return port === '' || Number(port) > 1_023;
}
