import type { IncomingMessage, ServerResponse } from 'node:http';
import { replyJson } from '../http/reply.js';

const CLOSED = JSON.stringify({ error: 'closing', error_description: 'This connection is closed: open another one' });

/** Answers a request on a connection that belongs to rules which the file no longer has, and ends the connection. */
export function refuseConnection(_req: IncomingMessage, res: ServerResponse): void {
  res.shouldKeepAlive = false;
  replyJson(res, 503, CLOSED, { 'retry-after': '1' });
}
