import { AUTHORITY, PATH_CHANGE, REDIRECT, REWRITE } from '../schema/policy-keys.js';
import type { ConfigNode } from './config-node.js';
import type { RouteMatch } from './route-match.js';

/** A new path for a request: as a whole, or in place of the prefix that its match has. */
export type PathChange = { readonly full: string } | { readonly prefix: string };

/** A new authority: as a whole, or only its host or its port. */
export type AuthorityChange = { readonly full: string } | { readonly host: string } | { readonly port: number };

/** The policy `requestRedirect`. */
export interface RedirectConfig {
  readonly scheme?: 'http' | 'https';
  readonly authority?: AuthorityChange;
  readonly path?: PathChange;
  readonly status: number;
  readonly at: string;
}

/** The policy `urlRewrite`. */
export interface RewriteConfig {
  readonly path: PathChange;
  readonly at: string;
}

const STATUSES = [301, 302, 303, 307, 308];

/** Reads `requestRedirect`. */
export function readRedirect(node: ConfigNode, matches: readonly RouteMatch[]): RedirectConfig {
  const { scheme, authority, path, status } = node.members(REDIRECT);
  const changed = authority && readAuthority(authority);
  const code = status?.count() ?? REDIRECT.status.default;
  if (!STATUSES.includes(code)) status?.refuse(`must be one of ${STATUSES.join(', ')}, but is ${code}`);
  return {
    ...(scheme && { scheme: scheme.word(['http', 'https']) }),
    ...(changed && { authority: changed }),
    ...(path && { path: readPathChange(path, matches) }),
    status: code,
    at: node.path,
  };
}

/** Reads `urlRewrite`. Undefined if it changes nothing. */
export function readRewrite(node: ConfigNode, matches: readonly RouteMatch[]): RewriteConfig | undefined {
  const { authority, path } = node.members(REWRITE);
  if (authority && readAuthority(authority) !== undefined)
    authority.refuse(
      'is not supported, except "auto" and "none": the Host of a request to a target is that of its URL',
    );
  return path && { path: readPathChange(path, matches), at: node.path };
}

function readAuthority(node: ConfigNode): AuthorityChange | undefined {
  if (node.value === 'auto' || node.value === 'none') return undefined;
  const { full, host, port } = node.members(AUTHORITY);
  if ([full, host, port].filter((each) => each !== undefined).length !== 1)
    node.refuse('must have exactly one of full, host and port');
  if (port) return { port: port.port() };
  return full ? { full: readHost(full) } : { host: readHost(host as ConfigNode) };
}

function readHost(node: ConfigNode): string {
  const host = node.text();
  return /^(?:[\w.-]+|\[[\da-fA-F:.]+\])(?::\d{1,5})?$/.test(host)
    ? host
    : node.refuse('must be a host, without a path');
}

function readPathChange(node: ConfigNode, matches: readonly RouteMatch[]): PathChange {
  const { full, prefix } = node.members(PATH_CHANGE);
  if ((full === undefined) === (prefix === undefined)) return node.refuse('must have either full or prefix');
  if (full) return { full: readPath(full) };
  const other = matches.find(({ path }) => path.kind !== 'pathPrefix');
  if (other) node.refuse(`needs a pathPrefix in each match of the route, but ${other.at} has none`);
  return { prefix: readPath(prefix as ConfigNode) };
}

function readPath(node: ConfigNode): string {
  const path = node.text();
  return /^\/[!-~]*$/.test(path) && !/[?#\\]/.test(path) && !path.startsWith('//')
    ? path
    : node.refuse('must be a path such as "/mcp", percent-encoded and without a query');
}
