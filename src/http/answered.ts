import type { OutgoingMessage, ServerResponse } from 'node:http';

let prototype: OutgoingMessage | undefined;

/**
 * True if a middleware has begun to answer. `res.headersSent` alone is not enough: the getter of @fastify/express hides Node's,
 * and stays false after `writeHead()`.
 */
export function isAnswered(res: ServerResponse): boolean {
  // Not imported: a server has loaded node:http already, and an import of this package should not wait for it.
  prototype ??= process.getBuiltinModule('node:http').OutgoingMessage.prototype;
  return res.headersSent || res.writableEnded || Reflect.get(prototype, 'headersSent', res) === true;
}
