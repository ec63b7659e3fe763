import { CONNECTIONS } from '../schema/listener-keys.js';
import type { ConfigNode } from './config-node.js';
import { readHostname } from './hostnames.js';
import { readTls, type TlsConfig } from './tls-config.js';

/** The members of a listener that say for which connections it is. */
export type ListenerMembers = { readonly [Key in keyof typeof CONNECTIONS]?: ConfigNode };

/** Reads the host name and the certificate of a listener. */
export function readListenerMembers(
  node: ConfigNode,
  { hostname, protocol, tls }: ListenerMembers,
  directory: string,
): { readonly hostname: string; readonly tls?: TlsConfig } {
  const written = protocol?.word(['HTTP', 'HTTPS']);
  if (written === 'HTTP') tls?.refuse('needs protocol: HTTPS beside it');
  if (written === 'HTTPS' && !tls) node.refuse('must have tls, since its protocol is HTTPS');
  return {
    hostname: hostname ? readHostname(hostname) : CONNECTIONS.hostname.default,
    ...(tls && { tls: readTls(tls, directory) }),
  };
}
