import type { IncomingMessage } from 'node:http';
import Negotiator from 'negotiator';

/** Whether the client names JSON among what it takes (RFC 9110, section 12.5.1): programs do, browsers do not. */
export function asksForJson(req: IncomingMessage): boolean {
  return new Negotiator(req).mediaTypes().some((type) => type.toLowerCase() === 'application/json');
}
