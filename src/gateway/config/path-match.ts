import { PATH_MATCH } from '../schema/route-keys.js';
import type { ConfigNode } from './config-node.js';
import { type Pattern, readPattern } from './pattern.js';

/** The request paths of a route: exactly `path`, `path` and everything below it, or what a pattern says. */
export interface PathMatch {
  readonly kind: 'exact' | 'pathPrefix' | 'regex';
  /** A prefix has no closing slash. The empty prefix matches every path. */
  readonly path: string;
  /** That of `path`, if it is a regular expression. */
  readonly pattern?: Pattern;
}

/** Every path. */
export const EVERY_PATH: PathMatch = { kind: 'pathPrefix', path: '' };

/** Reads the member `path` of a match. */
export function readPathMatch(node: ConfigNode): PathMatch {
  const { exact, pathPrefix, regex } = node.members(PATH_MATCH);
  if ([exact, pathPrefix, regex].filter((each) => each !== undefined).length !== 1)
    return node.refuse('must have exactly one of exact, pathPrefix and regex');
  if (exact) return { kind: 'exact', path: readPath(exact) };
  if (pathPrefix) return { kind: 'pathPrefix', path: readPath(pathPrefix).replace(/\/+$/, '') };
  const pattern = readPattern(regex as ConfigNode);
  return { kind: 'regex', path: pattern.regex, pattern };
}

function readPath(node: ConfigNode): string {
  const path = node.text();
  // Compared with the raw path of a request, which has only these characters.
  return /^\/[!-~]*$/.test(path) && !/[?#]/.test(path)
    ? path
    : node.refuse(`must be a path such as "/mcp", percent-encoded and without a query, but is ${JSON.stringify(path)}`);
}

/** True if a request with this path matches. */
export function matchesPath({ kind, path: wanted, pattern }: PathMatch, path: string): boolean {
  if (pattern !== undefined) return pattern.matches(path);
  if (kind === 'exact') return path === wanted;
  return path.startsWith(wanted) && (path.length === wanted.length || path[wanted.length] === '/');
}
