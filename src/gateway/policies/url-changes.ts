import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { replyEmpty } from '../../http/reply.js';
import { rawPath, rawQuery, requestTarget } from '../../http/request-target.js';
import type { Middleware } from '../../index.js';
import type { RouteMatch } from '../config/route-match.js';
import { createRouteTable } from '../config/route-match.js';
import type { AuthorityChange, PathChange, RedirectConfig, RewriteConfig } from '../config/url-change.js';
import { hostOf } from '../trusted-proxies.js';

/** Answers every request of a route with a redirect. */
export function redirect(
  { scheme, authority, path, status }: RedirectConfig,
  matches: readonly RouteMatch[],
): Middleware {
  const pathOf = path && createPathChange(path, matches);
  return (req, res) => {
    const isEncrypted = (req.socket as Partial<TLSSocket>).encrypted === true;
    const own = (req as { protocol?: string }).protocol ?? (isEncrypted ? 'https' : 'http');
    const target = pathOf ? pathOf(req) : requestTarget(req);
    const location = `${scheme ?? own}://${authorityOf(req, authority, { scheme, own })}${target}`;
    replyEmpty(res, status, { location, 'content-length': 0 });
  };
}

/** Changes the path of a request, for the rules and the backend behind. */
export function rewrite({ path }: RewriteConfig, matches: readonly RouteMatch[]): Middleware {
  const pathOf = createPathChange(path, matches);
  return (req, _res, next) => {
    req.url = pathOf(req);
    next();
  };
}

function createPathChange(change: PathChange, matches: readonly RouteMatch[]): (req: IncomingMessage) => string {
  const matchOf = createRouteTable(matches.map((match) => [match, '', match] as const));
  return (req) => {
    const query = rawQuery(requestTarget(req));
    const path = 'full' in change ? change.full : replacePrefix(req, matchOf(req)?.path.path ?? '', change.prefix);
    return query === '' ? path : `${path}?${query}`;
  };
}

function replacePrefix(req: IncomingMessage, prefix: string, replacement: string): string {
  const rest = rawPath(requestTarget(req)).slice(prefix.length);
  return `${replacement.replace(/\/$/, '')}${rest}` || '/';
}

interface Schemes {
  readonly scheme: string | undefined;
  readonly own: string;
}

function authorityOf(req: IncomingMessage, change: AuthorityChange | undefined, { scheme, own }: Schemes): string {
  const host = hostOf(req) ?? 'localhost';
  if (change === undefined) return host;
  if ('full' in change) return change.full;
  const [, name = '', port = ''] = /^(.*?)(:\d+)?$/.exec(host) ?? [];
  // A scheme in the file means its own port.
  if ('host' in change) return scheme === undefined ? `${change.host}${port}` : change.host;
  const isDefault = change.port === ((scheme ?? own) === 'https' ? 443 : 80);
  return isDefault ? name : `${name}:${change.port}`;
}
