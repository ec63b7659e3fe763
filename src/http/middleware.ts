import type { IncomingMessage, ServerResponse } from 'node:http';

/** What Express 4, Express 5 and Connect call for each request: bare `node:http` and `next`. */
export type Middleware = (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void;

/** The request target as the client sent it: Express and Connect cut their mount path off `url`, not off `originalUrl`. */
export function requestTarget(req: IncomingMessage): string {
  return (req as { originalUrl?: string }).originalUrl ?? req.url ?? '/';
}
