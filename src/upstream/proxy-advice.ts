import type { FetchError } from './bounded-fetch.js';
import { type Environment, forwardProxyFor, usesForwardProxy } from './forward-proxy.js';
import { LOOKUP_TIMEOUT } from './name-lookup.js';

/** The codes of calls that have not reached a server. All others may come from one. */
const UNREACHED = new Set<string | undefined>([
  'ENOTFOUND',
  'EAI_AGAIN',
  LOOKUP_TIMEOUT,
  'ECONNREFUSED',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'TimeoutError',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/**
 * Returns what an operator must know if a call has not reached its server, and the environment names a forward proxy that Node was not told
 * to use. Undefined if there is nothing to say.
 */
export function proxyAdvice(
  url: URL,
  { answered, code }: Pick<FetchError, 'answered' | 'code'>,
  // biome-ignore lint/style/noProcessEnv: Node reads these variables too
  env: Environment = process.env,
): string | undefined {
  if (answered || !UNREACHED.has(code) || usesForwardProxy(url)) return undefined;
  const proxy = forwardProxyFor(url, env);
  if (proxy === undefined) return undefined;
  const setting = env.NODE_USE_ENV_PROXY;
  if (setting === undefined) return `${proxy.name} is not used for this: start Node with NODE_USE_ENV_PROXY=1`;
  return hasEnvProxy(process.versions.node) ? undefined : `${proxy.name} needs Node 24, or 22 from 22.21`;
}

/** True for versions of Node that know `NODE_USE_ENV_PROXY`. */
function hasEnvProxy(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major >= 24 || (major === 22 && minor >= 21);
}
