import type { IncomingMessage } from 'node:http';

/** True for a request that opens a stream of the server's events and does not wait for an answer: a GET, or `subscriptions/listen` (2026-07-28). */
export function listensOnly({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' || headers['mcp-method'] === 'subscriptions/listen';
}
