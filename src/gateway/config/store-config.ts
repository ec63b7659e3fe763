import { canParseUrl } from '../../http/can-parse-url.js';
import type { InputFiles } from '../input-files.js';
import { STORE } from '../schema/process-keys.js';
import { atPlace, StartupError } from '../startup-error.js';
import type { ConfigNode } from './config-node.js';
import { readTextSource, resolveText, type TextSource } from './text-source.js';

/** The `store` of the section `config`: the state that replicas share. */
export interface StoreConfig {
  /** The address of the Redis, which may have a password in it. */
  readonly redis: TextSource;
  readonly prefix?: string;
  readonly at: string;
}

/** Reads `store`, which agentgateway does not have. */
export function readStoreConfig(node: ConfigNode, directory: string): StoreConfig {
  const { redis, prefix } = node.members(STORE);
  return { redis: readTextSource(redis, directory), ...(prefix && { prefix: prefix.text() }), at: node.path };
}

/**
 * Returns the address of the Redis. The message does not quote it: it may have a password in it.
 *
 * @throws {StartupError}
 */
export function resolveRedisUrl({ redis, at }: StoreConfig, files: InputFiles): string {
  return atPlace(`${at}.redis`, () => {
    const url = resolveText(redis, files);
    if (!/^rediss?:\/\//i.test(url)) throw new StartupError(URL_FORM);
    if (!isWholeAddress(url)) throw new StartupError(`${URL_FORM}. ${PASSWORD_FORM}`);
    return url;
  });
}

const URL_FORM = 'must be an address such as "redis://localhost:6379", or "rediss://…" with TLS';
const PASSWORD_FORM =
  'After the host and the port there may be the number of a database, such as /0, and a query. ' +
  'In a user name or password, write # / ? @ % as %23 %2F %3F %40 %25';

/** False if a part of the password would be taken for the host, which is in the log when no connection is possible. */
function isWholeAddress(url: string): boolean {
  if (!canParseUrl(url)) return false;
  const { pathname, search, hash, username, password } = new URL(url);
  if (!/^(?:\/\d*)?$/.test(pathname) || search.includes('@') || hash !== '') return false;
  try {
    decodeURIComponent(username + password);
    return true;
  } catch {
    // A % that begins no encoded character: the clients of Redis refuse it at every attempt to connect.
    return false;
  }
}
