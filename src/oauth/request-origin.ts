import type { IncomingMessage } from 'node:http';
import { AuthError } from '../core/errors.js';
import { canParseUrl } from '../http/can-parse-url.js';
import { trimOws } from '../http/ows.js';
import { requestHost } from '../http/request-host.js';

const HOST = /^(?:\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/i;

/** The origin of the last request. Most requests have the same one, which is then not checked again. */
let lastUsable: string | undefined;

/**
 * Returns the origin under which the client sees this server, for example `https://mcp.example.com`. `X-Forwarded-Proto` and
 * `X-Forwarded-Host` count only if Express's `trust proxy` setting trusts the peer; on Connect they never count.
 *
 * @throws {AuthError} `unusable_host` if the host that the request names is not a host name with an optional port.
 */
export function requestOrigin(req: IncomingMessage): string {
  const trusted = trustsPeer(req);
  const encrypted = (req.socket as { encrypted?: boolean }).encrypted === true;
  const forwardedProto = trusted ? firstValue(req.headers['x-forwarded-proto']) : undefined;
  const protocol = forwardedProto ?? (encrypted ? 'https' : 'http');
  const host = (trusted ? firstValue(req.headers['x-forwarded-host']) : undefined) ?? requestHost(req);
  const origin = `${protocol}://${host}`;
  if (origin === lastUsable) return origin;
  if (!HOST.test(host) || (protocol !== 'http' && protocol !== 'https') || !canParseUrl(origin)) {
    throw new AuthError('unusable_host');
  }
  lastUsable = origin;
  return origin;
}

type TrustFunction = (address: string | undefined, hop: number) => boolean;

function trustsPeer(req: IncomingMessage): boolean {
  const app = (req as { app?: { get?(name: string): unknown } }).app;
  const trust = app?.get?.('trust proxy fn') as TrustFunction | undefined;
  return trust?.(req.socket.remoteAddress, 0) ?? false;
}

function firstValue(header: string | string[] | undefined): string | undefined {
  const text = Array.isArray(header) ? header[0] : header;
  const first = text?.split(',', 1)[0];
  return first === undefined ? undefined : trimOws(first);
}
