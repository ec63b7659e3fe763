import type { IncomingMessage } from 'node:http';
import { lowerAscii } from './lower-ascii.js';

/**
 * Removes a header from both places where applications read it. An earlier middleware may have changed one of them.
 *
 * @param name In lower case.
 */
export function removeHeader(req: IncomingMessage, name: string): void {
  delete req.headers[name];
  const raw = req.rawHeaders;
  for (let i = raw.length - 2; i >= 0; i -= 2) if (lowerAscii(raw[i] as string) === name) raw.splice(i, 2);
}
