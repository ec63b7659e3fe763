import type { Dispatcher } from 'undici';
import { createLazyImport } from '../../core/lazy-import.js';
import { isLoopbackHost } from '../../http/loopback.js';

/** The remote MCP server, and how connections to it are made. */
export interface TargetAddress {
  readonly url: URL;
  /** PEM. The authorities whose certificates are accepted, in place of those that Node trusts. */
  readonly ca?: readonly (string | Buffer)[] | undefined;
  /** PEM. The client certificate, and its key. */
  readonly cert?: string | Buffer | undefined;
  readonly key?: string | Buffer | undefined;
  readonly connectTimeoutSeconds: number;
}

const loadUndici = createLazyImport('undici', () => import('undici'));

/**
 * The connections to one remote server, kept alive and reused; through the forward proxy that the environment names, where it names
 * one (`HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`). Node 20 itself knows no such proxy.
 */
export async function createDispatcher(address: TargetAddress): Promise<Dispatcher> {
  const { EnvHttpProxyAgent, Pool } = await loadUndici();
  const { url, ca, cert, key, connectTimeoutSeconds } = address;
  const tls = { ca: ca && [...ca], cert, key };
  const connect = { ...tls, timeout: connectTimeoutSeconds * 1_000 };
  // A tool may run, and a stream be quiet, for as long as they like: timeouts are set for each exchange.
  const options = { connect, headersTimeout: 0, bodyTimeout: 0, allowH2: false };
  // This machine is reached without a proxy: the proxy may be another one, and would be told the secrets of a plain connection.
  if (isLoopbackHost(url.hostname) || !namesProxy()) return new Pool(url.origin, options);
  return new EnvHttpProxyAgent({ ...options, requestTls: { ...tls, servername: url.hostname } });
}

function namesProxy(): boolean {
  // biome-ignore lint/style/noProcessEnv: the variables are for every program of this machine; undici reads them too
  const own = process.env;
  return [own.http_proxy, own.HTTP_PROXY, own.https_proxy, own.HTTPS_PROXY].some((value) => value);
}
