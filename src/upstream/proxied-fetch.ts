import { isIP } from 'node:net';
import { createLazyImport } from '../core/lazy-import.js';
import type { BoundedAnswer, FetchBounds } from './bounded-fetch.js';
import type { Guard } from './guard.js';
import { fetchError, readAnswer } from './guarded-fetch.js';

export interface ProxiedInit {
  readonly headers: Readonly<Record<string, string>>;
  /** The URL of the forward proxy. */
  readonly proxy: string;
  /** PEM. The accepted authorities of the server, in place of those that Node trusts. */
  readonly ca?: string | undefined;
}

const loadUndici = createLazyImport('undici', () => import('undici'));

/**
 * Fetches a URL through a forward proxy, with the limits of `guardedFetch()`. The proxy resolves the name, so no address is checked: the
 * operator must have allowed the host.
 *
 * @throws {FetchError}
 */
export async function proxiedFetch(
  url: URL,
  { headers, proxy, ca }: ProxiedInit,
  { timeoutMs, maxBytes }: FetchBounds,
  { reads }: Pick<Guard, 'reads'>,
): Promise<BoundedAnswer> {
  const { EnvHttpProxyAgent, Pool, request } = await loadUndici();
  const signal = AbortSignal.timeout(timeoutMs);
  // An IP address is not a server name (RFC 6066, section 3); TLS then checks the certificate for the address.
  const servername = isIP(url.hostname.replace(/^\[(.*)\]$/, '$1')) === 0 ? { servername: url.hostname } : {};
  let dispatcher: InstanceType<typeof EnvHttpProxyAgent> | undefined;
  let hasAnswered = false;
  try {
    dispatcher = new EnvHttpProxyAgent({
      httpProxy: proxy,
      httpsProxy: proxy,
      noProxy: '',
      requestTls: { ca, ...servername, timeout: timeoutMs },
      clientFactory: (origin: URL) => new Pool(origin, { connect: { timeout: timeoutMs }, headersTimeout: timeoutMs }),
    });
    const sent = { 'accept-encoding': 'identity', ...headers };
    // The signal of a request does not reach its CONNECT.
    const answered = Promise.race([request(url, { dispatcher, headers: sent, signal }), whenAborted(signal)]);
    const { statusCode, headers: received, body } = await answered;
    hasAnswered = true;
    return await readAnswer({ status: statusCode, headers: headersOf(received), body }, reads, maxBytes);
  } catch (error) {
    throw fetchError(error, { signal, timeoutMs, hasAnswered });
  } finally {
    // Not awaited: it waits for connections that may never close.
    void dispatcher?.destroy();
  }
}

function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function headersOf(received: Readonly<Record<string, string | string[] | undefined>>): Headers {
  const entries = Object.entries(received).flatMap(([name, value]) => [value ?? []].flat().map((each) => [name, each]));
  return new Headers(entries as [string, string][]);
}
