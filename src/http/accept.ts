import type { IncomingMessage } from 'node:http';
import Negotiator from 'negotiator';
import { lowerAscii } from './lower-ascii.js';

/** True if the `Accept` header names JSON (RFC 9110, section 12.5.1): programs do, browsers do not. */
export function asksForJson(req: IncomingMessage): boolean {
  return new Negotiator(req).mediaTypes().some((type) => lowerAscii(type) === 'application/json');
}
