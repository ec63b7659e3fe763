import type { OutgoingMessage, ServerResponse } from 'node:http';

let prototype: OutgoingMessage | undefined;

/**
 * True if a middleware has begun to answer. `res.headersSent` alone does not say so: @fastify/express puts a getter of
 * its own in front of Node's, which stays false for what was written with `writeHead()`.
 */
export function isAnswered(res: ServerResponse): boolean {
  // Not imported: who answers requests has node:http anyway, and an import of this package should not pay for it.
  prototype ??= process.getBuiltinModule('node:http').OutgoingMessage.prototype;
  return res.headersSent || res.writableEnded || Reflect.get(prototype, 'headersSent', res) === true;
}
