import type { IncomingMessage } from 'node:http';
import { lowerAscii } from './lower-ascii.js';

/**
 * Removes a header from both places where applications read it. An earlier middleware may have changed one of them.
 *
 * @param name In lower case.
 */
export function removeHeader(req: IncomingMessage, name: string): void {
  const { headers, rawHeaders: raw } = req;
  if (headers[name] !== undefined) delete headers[name];
  for (let i = raw.length - 2; i >= 0; i -= 2) if (isNamed(raw[i] as string, name)) raw.splice(i, 2);
}

/** Compares the lengths first: most requests do not have the header, and each name in lower case would be a new string. */
function isNamed(found: string, name: string): boolean {
  return found.length === name.length && lowerAscii(found) === name;
}
