import { createRequire } from 'node:module';
import type { NodeRedisClient, ScriptArguments } from '../store/redis.js';
import { StartupError } from './startup-error.js';

/** A client of Redis that loads its package and connects when it is first used. */
export interface RedisClient extends NodeRedisClient {
  /** Connects now. Resolves once the first attempt has succeeded or failed; later ones follow by themselves. */
  open(): Promise<void>;
  /** Ends the connection for good. */
  close(): Promise<void>;
}

interface OpenClient extends NodeRedisClient {
  end(): void;
}

/** Receives each failure of the connection. */
type OnFailure = (error: Error) => void;

// Without these options, the calls of an outage wait in the client, and take their tokens when the server is back.
const OPENERS: Readonly<Record<string, (url: string, onFailure: OnFailure) => Promise<OpenClient>>> = {
  async redis(url, onFailure) {
    const { createClient } = await import('redis');
    const client = createClient({ url, disableOfflineQueue: true });
    await new Promise<void>((resolve) => {
      client.on('error', onFailure).once('error', () => resolve());
      // Rejects only if the client is closed before its first connection.
      client.connect().then(
        () => resolve(),
        () => resolve(),
      );
    });
    return {
      evalSha: (sha1, options) => client.evalSha(sha1, options),
      eval: (script, options) => client.eval(script, options),
      end: () => client.destroy(),
    };
  },
  async iovalkey(url, onFailure) {
    const { Redis } = await import('iovalkey');
    const client = new Redis(url, { lazyConnect: true, enableOfflineQueue: false });
    client.on('error', onFailure);
    await client.connect().catch(() => undefined);
    const words = ({ keys, arguments: values }: ScriptArguments) => [keys.length, ...keys, ...values] as const;
    return {
      evalSha: (sha1, options) => client.evalsha(sha1, ...words(options)),
      eval: (script, options) => client.eval(script, ...words(options)),
      end: () => client.disconnect(),
    };
  },
};

/** @throws {StartupError} If no package with a client is installed. */
export function createRedisClient(url: string, onFailure: OnFailure): RedisClient {
  const open = OPENERS[installedPackage()] as (typeof OPENERS)[string];
  let opening: Promise<OpenClient> | undefined;
  const opened = () => {
    opening ??= open(url, onFailure);
    return opening;
  };
  return {
    evalSha: async (sha1, options) => (await opened()).evalSha(sha1, options),
    eval: async (script, options) => (await opened()).eval(script, options),
    open: async () => void (await opened()),
    close: async () => (await opening)?.end(),
  };
}

/** Finds the package without loading it. */
function installedPackage(): string {
  const { resolve } = createRequire(import.meta.url);
  const found = Object.keys(OPENERS).find((name) => {
    try {
      return resolve(name) !== '';
    } catch {
      // Not installed.
      return false;
    }
  });
  if (found !== undefined) return found;
  throw new StartupError('needs the package redis or iovalkey: npm install redis');
}
