import type { IncomingMessage } from 'node:http';
import { shareValue } from '../core/shared-state.js';

const served = shareValue('servedMetadata', () => new WeakSet<IncomingMessage>());

/** Notes that one of our middlewares answers this request with protected resource metadata. */
export function noteServedMetadata(req: IncomingMessage): void {
  served.add(req);
}

export function isServedMetadata(req: IncomingMessage): boolean {
  return served.has(req);
}
