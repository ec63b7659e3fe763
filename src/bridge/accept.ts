import type { IncomingMessage } from 'node:http';

/** Whether the request accepts `type`. A client that does not say accepts everything (RFC 9110, section 12.5.1). */
export function accepts(req: IncomingMessage, type: 'application/json' | 'text/event-stream'): boolean {
  const accept = req.headers.accept;
  if (accept === undefined || accept.includes(type) || accept.includes('*/*')) return true;
  return accept.includes(type === 'application/json' ? 'application/*' : 'text/*');
}
