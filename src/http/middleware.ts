import type { IncomingMessage, ServerResponse } from 'node:http';

/** What Express 4, Express 5 and Connect call for each request: bare `node:http` and `next`. */
export type Middleware = (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void;

/** What may be handed to `next` as a failure: to Express, nothing at all and `'route'` mean "go on", past whoever says so. */
export function asError(error: unknown, who: string): Error {
  return error instanceof Error ? error : new Error(`${who} failed`, { cause: error });
}
