import type { IncomingMessage } from 'node:http';

/** Scheme and authority of a target in absolute form. Not before a backslash, which Express then reads as a slash. */
const ORIGIN = /^https?:\/\/(?:\[[\da-f:.]+\]|[\w.-]+)(?::\d*)?(?=$|[/?][^\\]*$)/i;

/**
 * Returns the path and query as the client sent them: Express and Connect remove their mount path from `url`, not from `originalUrl`. A target may
 * also be in absolute form (RFC 9112, section 3.2.2), and is then the same without scheme and authority.
 */
export function requestTarget(req: IncomingMessage): string {
  return withoutOrigin((req as { originalUrl?: string }).originalUrl ?? req.url ?? '/');
}

/** Returns a target in absolute form without scheme and authority, and any other as it is. */
export function withoutOrigin(target: string): string {
  if (target.startsWith('/')) return target;
  const rest = target.replace(ORIGIN, '');
  // An empty path is that of the root (RFC 9110, section 4.2.3).
  return rest === '' || rest.startsWith('?') ? `/${rest}` : rest;
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
