import type { ConfigNode } from './config-node.js';
import { readHostname } from './hostnames.js';
import { readTls, type TlsConfig } from './tls-config.js';

/** The members of a listener that say for which connections it is. */
export const LISTENER_MEMBERS = ['hostname', 'protocol', 'tls'] as const;

type ListenerMembers = Readonly<Partial<Record<(typeof LISTENER_MEMBERS)[number], ConfigNode>>>;

/** Reads the host name and the certificate of a listener. */
export function readListenerMembers(
  node: ConfigNode,
  { hostname, protocol, tls }: ListenerMembers,
  directory: string,
): { readonly hostname: string; readonly tls?: TlsConfig } {
  const written = protocol?.word(['HTTP', 'HTTPS']);
  if (written === 'HTTP') tls?.refuse('needs protocol: HTTPS beside it');
  if (written === 'HTTPS' && !tls) node.refuse('must have tls, since its protocol is HTTPS');
  return { hostname: hostname ? readHostname(hostname) : '*', ...(tls && { tls: readTls(tls, directory) }) };
}
