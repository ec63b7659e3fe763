import type { IncomingMessage } from 'node:http';

/** The request target as the client sent it: Express and Connect cut their mount path off `url`, not off `originalUrl`. */
export function requestTarget(req: IncomingMessage): string {
  return (req as { originalUrl?: string }).originalUrl ?? req.url ?? '/';
}

/** Its path exactly as it came: not decoded, not normalised, so that only the very bytes of a public path are public. */
export function rawPath(target: string): string {
  const query = target.indexOf('?');
  return query === -1 ? target : target.slice(0, query);
}

/** Its query exactly as it came, without the question mark; empty where there is none. */
export function rawQuery(target: string): string {
  const query = target.indexOf('?');
  return query === -1 ? '' : target.slice(query + 1);
}
