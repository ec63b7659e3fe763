import type { ConfigNode } from './config-node.js';

/** The request paths of a route: exactly `path`, or `path` and everything below it. */
export interface PathMatch {
  readonly kind: 'exact' | 'pathPrefix';
  /** A prefix has no closing slash. The empty prefix matches every path. */
  readonly path: string;
  /** Its place in the file, for messages. */
  readonly at: string;
}

/** Reads an item of `matches`. */
export function readPathMatch(node: ConfigNode): PathMatch {
  const { path } = node.members({ required: ['path'] });
  const { exact, pathPrefix } = path.members({ optional: ['exact', 'pathPrefix'] });
  if (exact !== undefined && pathPrefix === undefined) {
    return { kind: 'exact', path: readPath(exact), at: exact.path };
  }
  if (pathPrefix !== undefined && exact === undefined) {
    return { kind: 'pathPrefix', path: readPath(pathPrefix).replace(/\/+$/, ''), at: pathPrefix.path };
  }
  return path.refuse('must have either exact or pathPrefix');
}

function readPath(node: ConfigNode): string {
  const path = node.text();
  // Compared with the raw path of a request, which has only these characters.
  return /^\/[!-~]*$/.test(path) && !/[?#]/.test(path)
    ? path
    : node.refuse(`must be a path such as "/mcp", percent-encoded and without a query, but is ${JSON.stringify(path)}`);
}

/** Creates a lookup by path. An exact match comes before any prefix, a longer prefix before a shorter one. */
export function createPathTable<T>(entries: Iterable<readonly [PathMatch, T]>): (path: string) => T | undefined {
  const exact = new Map<string, T>();
  const prefixes: Array<readonly [string, T]> = [];
  for (const [match, value] of entries) {
    if (match.kind === 'exact') exact.set(match.path, value);
    else prefixes.push([match.path, value]);
  }
  prefixes.sort(([a], [b]) => b.length - a.length);
  return (path) => exact.get(path) ?? prefixes.find(([prefix]) => isWithin(path, prefix))?.[1];
}

function isWithin(path: string, prefix: string): boolean {
  return path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === '/');
}
