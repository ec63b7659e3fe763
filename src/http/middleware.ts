import type { IncomingMessage, ServerResponse } from 'node:http';

/** What Express 4, Express 5 and Connect call for each request: bare `node:http` and `next`. */
export type Middleware = (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void;

/** What may be handed to `next` as a failure: to Express, nothing at all and `'route'` mean "go on", past whoever says so. */
export function asError(thrown: unknown, who: string): Error {
  try {
    // Looked at here, since a Proxy or a getter may throw once more, where nobody would catch it.
    if (thrown instanceof Error && typeof thrown.name === 'string' && typeof thrown.message === 'string') return thrown;
  } catch {
    // Then it is no error that anybody could read.
  }
  return new Error(`${who} failed`, { cause: thrown });
}
