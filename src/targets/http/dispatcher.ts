import type { Dispatcher } from 'undici';
import { createLazyImport } from '../../core/lazy-import.js';
import { isLoopbackHost } from '../../http/loopback.js';

/** A remote MCP server, and the settings of connections to it. */
export interface TargetAddress {
  readonly url: URL;
  /** PEM. The accepted authorities, in place of those that Node trusts. */
  readonly ca?: readonly (string | Buffer)[] | undefined;
  /** PEM. The client certificate, and its key. */
  readonly cert?: string | Buffer | undefined;
  readonly key?: string | Buffer | undefined;
  readonly connectTimeoutSeconds: number;
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
  const connect = { ...tls, timeout: connectTimeoutSeconds * 1_000 };
  // Tools may run for hours and streams may be quiet for as long: each exchange sets its own timeout.
  const options = { connect, headersTimeout: 0, bodyTimeout: 0, allowH2: false };
  // A proxy on another machine could not reach this one, and would see the secrets of plain connections.
  if (isLoopbackHost(url.hostname) || !namesProxy()) return new Pool(url.origin, options);
  return new EnvHttpProxyAgent({ ...options, requestTls: { ...tls, servername: url.hostname } });
}

function namesProxy(): boolean {
  // biome-ignore lint/style/noProcessEnv: undici reads these variables too
  const own = process.env;
  return [own.http_proxy, own.HTTP_PROXY, own.https_proxy, own.HTTPS_PROXY].some((value) => value);
}
