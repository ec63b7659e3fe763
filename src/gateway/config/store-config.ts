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
    if (/^rediss?:$/.test(URL.canParse(url) ? new URL(url).protocol : '')) return url;
    throw new StartupError('must be an address such as "redis://localhost:6379", or "rediss://…" with TLS');
  });
}
