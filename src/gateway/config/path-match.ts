import type { ConfigNode } from './config-node.js';

/** The request paths of a route: exactly `path`, or `path` and everything below it. */
export interface PathMatch {
  readonly kind: 'exact' | 'pathPrefix';
  /** A prefix has no closing slash. The empty prefix matches every path. */
  readonly path: string;
}

/** Every path. */
export const EVERY_PATH: PathMatch = { kind: 'pathPrefix', path: '' };

/** Reads the member `path` of a match. */
export function readPathMatch(node: ConfigNode): PathMatch {
  const { exact, pathPrefix } = node.members({ optional: ['exact', 'pathPrefix'] });
  if (exact !== undefined && pathPrefix === undefined) return { kind: 'exact', path: readPath(exact) };
  if (pathPrefix !== undefined && exact === undefined)
    return { kind: 'pathPrefix', path: readPath(pathPrefix).replace(/\/+$/, '') };
  return node.refuse('must have either exact or pathPrefix');
}

function readPath(node: ConfigNode): string {
  const path = node.text();
  // Compared with the raw path of a request, which has only these characters.
  return /^\/[!-~]*$/.test(path) && !/[?#]/.test(path)
    ? path
    : node.refuse(`must be a path such as "/mcp", percent-encoded and without a query, but is ${JSON.stringify(path)}`);
}

/** True if a request with this path matches. */
export function matchesPath({ kind, path: wanted }: PathMatch, path: string): boolean {
  if (kind === 'exact') return path === wanted;
  return path.startsWith(wanted) && (path.length === wanted.length || path[wanted.length] === '/');
}
