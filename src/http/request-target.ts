import type { IncomingMessage } from 'node:http';

/** Returns the request target as the client sent it: Express and Connect remove their mount path from `url`, not from `originalUrl`. */
export function requestTarget(req: IncomingMessage): string {
  return (req as { originalUrl?: string }).originalUrl ?? req.url ?? '/';
}

/** Returns the unchanged path: not decoded or normalised, so that only the exact bytes of a public path are public. */
export function rawPath(target: string): string {
  const query = target.indexOf('?');
  return query === -1 ? target : target.slice(0, query);
}

/** Returns the unchanged query without the question mark. Empty if there is none. */
export function rawQuery(target: string): string {
  const query = target.indexOf('?');
  return query === -1 ? '' : target.slice(query + 1);
}
