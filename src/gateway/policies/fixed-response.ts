import { NO_SNIFF } from '../../http/no-sniff.js';
import type { Middleware } from '../../index.js';
import type { DirectResponseConfig } from '../config/direct-response.js';

/** Answers every request of a route with the same text. */
export function respond({ status, body }: DirectResponseConfig): Middleware {
  const bytes = Buffer.from(body);
  // No type: the file says none, and a browser must not guess one.
  const headers = { 'content-length': bytes.length, ...NO_SNIFF };
  return (req, res) => {
    // These have no body, and no length.
    const isEmpty = status === 204 || status === 304;
    res.writeHead(status, isEmpty ? {} : headers);
    res.end(isEmpty || req.method === 'HEAD' ? undefined : bytes);
  };
}
