import { isIP } from 'node:net';
import type { Dispatcher } from 'undici';
import { createLazyImport } from '../../core/lazy-import.js';
import { isLoopbackHost } from '../../http/loopback.js';
import type { RetryRules } from './repeater.js';

/** A remote MCP server, and the settings of connections to it. */
export interface TargetAddress {
  readonly url: URL;
  /** PEM. The accepted authorities, in place of those that Node trusts. */
  readonly ca?: readonly (string | Buffer)[] | undefined;
  /** PEM. The client certificate, and its key. */
  readonly cert?: string | Buffer | undefined;
  readonly key?: string | Buffer | undefined;
  readonly connectTimeoutSeconds: number;
  /** Undefined if no request is sent twice. */
  readonly retry?: RetryRules | undefined;
}

const loadUndici = createLazyImport('undici', () => import('undici'));

/**
 * Creates the pool of connections to one remote server. They are kept alive and reused. If the environment names a forward proxy
 * (`HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`), connections go through it: Node 20 itself does not support this.
 */
export async function createDispatcher(address: TargetAddress): Promise<Dispatcher> {
  const { EnvHttpProxyAgent, Pool } = await loadUndici();
  const { url, ca, cert, key, connectTimeoutSeconds } = address;
  const tls = { ca: ca && [...ca], cert, key };
  const timeout = connectTimeoutSeconds * 1_000;
  const connect = { ...tls, timeout };
  // Tools may run for hours and streams may be quiet for as long: each exchange sets its own timeout.
  const options = { connect, headersTimeout: 0, bodyTimeout: 0, allowH2: false };
  if (proxiesFor(url).length === 0) return new Pool(url.origin, options);
  return new EnvHttpProxyAgent({
    ...options,
    // The proxy may accept the connection and never answer to CONNECT.
    clientFactory: (origin: URL) => new Pool(origin, { connect: { timeout }, headersTimeout: timeout }),
    // An IP address is not a server name (RFC 6066, section 3); TLS then checks the certificate for the address.
    requestTls: { ...connect, ...(isAddress(url.hostname) ? {} : { servername: url.hostname }) },
  });
}

function isAddress(hostname: string): boolean {
  return isIP(hostname.replace(/^\[(.*)\]$/, '$1')) !== 0;
}

const PROXY_VARIABLES = [
  ['http_proxy', 'HTTP_PROXY'],
  ['https_proxy', 'HTTPS_PROXY'],
] as const;

/** A variable of the environment that names a forward proxy. */
interface ProxyVariable {
  readonly name: string;
  readonly value: string;
}

/** Returns the variables that name a proxy for this server. undici reads them all, whatever the scheme of the server is. */
function proxiesFor({ hostname }: URL): readonly ProxyVariable[] {
  // A proxy on another machine could not reach this one, and would see the secrets of plain connections.
  if (isLoopbackHost(hostname)) return [];
  // biome-ignore lint/style/noProcessEnv: undici reads these variables too
  const own = process.env;
  return PROXY_VARIABLES.flatMap(([lower, upper]) => {
    // As in undici, an empty variable in lower case counts.
    const name = own[lower] === undefined ? upper : lower;
    const value = own[name];
    return value ? [{ name, value }] : [];
  });
}

/** Returns the name of the first variable whose value undici would refuse with every request. */
export function unusableProxyFor(url: URL): string | undefined {
  return proxiesFor(url).find(({ value }) => !isUsable(value))?.name;
}

function isUsable(value: string): boolean {
  try {
    const { protocol, username, password } = new URL(value);
    decodeURIComponent(username + password);
    return /^(?:https?|socks5?):$/.test(protocol);
  } catch {
    // The error would quote the value, which may contain a password.
    return false;
  }
}
