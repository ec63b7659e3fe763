import { isLoopbackHost } from '../http/loopback.js';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Returns what an operator must know if a call does not reach its server, and the environment names a forward proxy that Node was not told
 * to use. Undefined if there is nothing to say.
 */
// biome-ignore lint/style/noProcessEnv: Node reads these variables too
export function proxyAdvice(url: URL, env: Environment = process.env): string | undefined {
  const names = url.protocol === 'https:' ? ['https_proxy', 'HTTPS_PROXY'] : ['http_proxy', 'HTTP_PROXY'];
  const name = names.find((each) => env[each]);
  if (name === undefined || isLoopbackHost(url.hostname) || isException(url.hostname, env)) return undefined;
  const setting = env.NODE_USE_ENV_PROXY;
  if (setting === undefined) return `${name} is not used for this: start Node with NODE_USE_ENV_PROXY=1`;
  return hasEnvProxy(process.versions.node) ? undefined : `${name} needs Node 24, or 22 from 22.21`;
}

/** True for versions of Node that know `NODE_USE_ENV_PROXY`. */
function hasEnvProxy(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major >= 24 || (major === 22 && minor >= 21);
}

/** True if `NO_PROXY` names the host, or a domain that it belongs to. */
function isException(host: string, { no_proxy, NO_PROXY }: Environment): boolean {
  const names = (no_proxy ?? NO_PROXY ?? '').split(/[,\s]+/).map((name) => name.replace(/^\*?\.|:\d+$/g, ''));
  return names.some((name) => name === '*' || name === host || (name !== '' && host.endsWith(`.${name}`)));
}
