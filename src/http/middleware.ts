import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * A middleware for Express 4, Express 5 and Connect. It needs only `node:http` and `next`: Fastify's `done` will do, which takes an `Error`.
 */
export type Middleware = (
  req: IncomingMessage,
  res: ServerResponse,
  // biome-ignore lint/suspicious/noExplicitAny: as in Express and Connect. With `unknown`, functions that take only an `Error` do not fit.
  next: (error?: any) => void,
) => void;

/**
 * Turns a thrown value into an `Error` that can be passed to `next()`. For Express, `undefined` and `'route'` would mean "continue",
 * and the request would pass the middleware that threw.
 */
export function asError(thrown: unknown, who: string): Error {
  try {
    // Read here, inside the `try`: a getter or a Proxy may throw again.
    if (thrown instanceof Error && typeof thrown.name === 'string' && typeof thrown.message === 'string') return thrown;
  } catch {
    // The value cannot be read, so it is only kept as the cause.
  }
  return new Error(`${who} failed`, { cause: thrown });
}
