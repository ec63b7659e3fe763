import { lowerAscii } from './lower-ascii.js';
import { trimOws } from './ows.js';

/** Returns the codings in a `Content-Encoding` or `Transfer-Encoding`, without `identity` and empty elements (RFC 9110, section 5.6.1.2). */
export function codingsIn(header: string): readonly string[] {
  const codings = lowerAscii(header).split(',').map(trimOws);
  return codings.filter((coding) => coding !== '' && coding !== 'identity');
}
