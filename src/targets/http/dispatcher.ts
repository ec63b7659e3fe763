import type { Dispatcher } from 'undici';
import { createLazyImport } from '../../core/lazy-import.js';
import { isLoopbackHost } from '../../http/loopback.js';

/** The remote MCP server, and how connections to it are made. */
export interface TargetAddress {
  readonly url: URL;
  /** PEM. The authorities that are trusted, in place of those that Node trusts. */
  readonly ca?: readonly (string | Buffer)[] | undefined;
  /** PEM. The client certificate, and its key. */
  readonly cert?: string | Buffer | undefined;
  readonly key?: string | Buffer | undefined;
  readonly connectTimeoutSeconds: number;
}

const loadUndici = createLazyImport('undici', () => import('undici'));

/**
 * Creates the connections to one remote server, which are kept alive and reused. They go through the forward proxy that the environment
 * names (`HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`), if any: Node 20 itself does not support one.
 */
export async function createDispatcher(address: TargetAddress): Promise<Dispatcher> {
  const { EnvHttpProxyAgent, Pool } = await loadUndici();
  const { url, ca, cert, key, connectTimeoutSeconds } = address;
  const tls = { ca: ca && [...ca], cert, key };
  const connect = { ...tls, timeout: connectTimeoutSeconds * 1_000 };
  // A tool may run for hours, and a stream may be quiet for hours: each exchange sets its own timeout.
  const options = { connect, headersTimeout: 0, bodyTimeout: 0, allowH2: false };
  // No proxy for this machine: the proxy may run on another one, and would see the secrets of a plain http connection.
  if (isLoopbackHost(url.hostname) || !namesProxy()) return new Pool(url.origin, options);
  return new EnvHttpProxyAgent({ ...options, requestTls: { ...tls, servername: url.hostname } });
}

function namesProxy(): boolean {
  // biome-ignore lint/style/noProcessEnv: every program reads these variables, undici among them
  const own = process.env;
  return [own.http_proxy, own.HTTP_PROXY, own.https_proxy, own.HTTPS_PROXY].some((value) => value);
}
