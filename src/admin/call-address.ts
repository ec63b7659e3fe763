import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';
import { requestHost } from '../http/request-host.js';
import type { ResolvedAuth } from '../policy/resolve-auth.js';
import { tokenPlaceOf } from '../policy/resolve-location.js';
import type { CallAddress } from './admin-source.js';

/** Creates the function that returns the address of a path of this application, at the host and port where the page's own request arrived. */
export function callAddressFor(
  path: string,
  policy: ResolvedAuth | undefined,
): (req: IncomingMessage) => CallAddress | undefined {
  const credential = tokenPlaceOf(policy);
  return (req) => {
    const { socket } = req;
    const { localAddress, localPort } = socket;
    if (localAddress === undefined || localPort === undefined) return undefined;
    const scheme = 'encrypted' in socket ? 'https' : 'http';
    const host = policy?.resource?.host ?? (requestHost(req) || 'localhost');
    return { url: `${scheme}://${inUrl(localAddress)}:${localPort}${path}`, host, credential };
  };
}

function inUrl(address: string): string {
  return isIPv6(address) ? `[${address}]` : address;
}
