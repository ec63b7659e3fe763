import type { IncomingMessage, ServerResponse } from 'node:http';

const METHODS = ['writeHead', 'setHeader', 'appendHeader', 'flushHeaders', 'write', 'end', 'on', 'off'] as const;

/** A middleware that replaces the methods of the response by functions that return nothing, as Restify and on-headers 1.0 do. */
export function returnNothing(_req: IncomingMessage, res: ServerResponse, next: () => void): void {
  const methods = res as unknown as Record<string, (...args: unknown[]) => unknown>;
  for (const name of METHODS) {
    const method = methods[name];
    methods[name] = (...args) => void method?.apply(res, args);
  }
  next();
}
