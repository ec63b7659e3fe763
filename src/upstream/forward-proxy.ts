import http from 'node:http';
import https from 'node:https';
import { isLoopbackHost } from '../http/loopback.js';
import { lowerAscii } from '../http/lower-ascii.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** A variable of the environment that names a forward proxy. */
export interface ForwardProxy {
  readonly name: string;
  readonly value: string;
}

/** The types of Node 20 have no `options`, Node 20 no `proxyEnv`, and agents of other packages (`global-agent`) may have neither. */
type ProxyingAgent = http.Agent & { readonly options?: { readonly proxyEnv?: Environment } };

type Host = Pick<URL, 'protocol' | 'hostname'>;

/** Returns the forward proxy that the environment names for calls to a server. Undefined if there is none, or `NO_PROXY` names the server. */
export function forwardProxyFor({ protocol, hostname }: Host, env: Environment): ForwardProxy | undefined {
  const names = protocol === 'https:' ? ['https_proxy', 'HTTPS_PROXY'] : ['http_proxy', 'HTTP_PROXY'];
  const name = names.find((each) => env[each]);
  const value = name === undefined ? undefined : env[name];
  if (name === undefined || value === undefined) return undefined;
  return isLoopbackHost(hostname) || isException(hostname, env) ? undefined : { name, value };
}

/** True if Node was told to use the forward proxy of its environment, and uses it for requests to a server. */
export function usesForwardProxy(host: Host): boolean {
  const { options } = (host.protocol === 'https:' ? https.globalAgent : http.globalAgent) as ProxyingAgent;
  const env = options?.proxyEnv;
  return env !== undefined && forwardProxyFor(host, env) !== undefined;
}

/** True if `NO_PROXY` names the host, or a domain that it belongs to. */
function isException(host: string, { no_proxy, NO_PROXY }: Environment): boolean {
  const names = lowerAscii(no_proxy ?? NO_PROXY ?? '')
    .split(/[,\s]+/)
    .map((name) => name.replace(/^\*?\.|:\d+$/g, ''));
  return names.some((name) => name === '*' || name === host || (name !== '' && host.endsWith(`.${name}`)));
}
