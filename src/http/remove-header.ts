import type { IncomingMessage } from 'node:http';
import { isHeaderNamed } from './head-headers.js';

/**
 * Removes a header from both places where applications read it. An earlier middleware may have changed one of them.
 *
 * @param name In lower case.
 */
export function removeHeader(req: IncomingMessage, name: string): void {
  const { headers, rawHeaders: raw } = req;
  if (headers[name] !== undefined) delete headers[name];
  for (let i = raw.length - 2; i >= 0; i -= 2) if (isHeaderNamed(raw[i], name)) raw.splice(i, 2);
}
