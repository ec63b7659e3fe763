import type { ConfigNode } from './config-node.js';

/** Which request paths a route takes: exactly this one, or this one and everything below it. */
export interface PathMatch {
  readonly kind: 'exact' | 'pathPrefix';
  /** A prefix has no slash at its end; the prefix of everything is the empty string. */
  readonly path: string;
  /** Where it stands in the file. */
  readonly at: string;
}

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
  // Compared with the request's path as it came, which has none of these characters.
  return /^\/[!-~]*$/.test(path) && !/[?#]/.test(path)
    ? path
    : node.refuse(`must be a path such as "/mcp", as it stands in a request, but is ${JSON.stringify(path)}`);
}

/** Finds what belongs to a path: an exact match before any prefix, a longer prefix before a shorter one. */
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
