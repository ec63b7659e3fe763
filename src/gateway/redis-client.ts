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
  /** Resolves when the first attempt to connect has succeeded or failed. */
  readonly attempted: Promise<unknown>;
  isConnected(): boolean;
  end(): void;
}

interface Listeners {
  onError(error: NodeJS.ErrnoException): void;
  onReady(): void;
}

// Without these options, the calls of an outage wait in the client, and take their tokens when the server is back.
const OPENERS: Readonly<Record<string, (url: string, listeners: Listeners) => Promise<OpenClient>>> = {
  async redis(url, { onError, onReady }) {
    const { createClient } = await import('redis');
    const client = createClient({ url, disableOfflineQueue: true });
    client.on('error', onError);
    client.on('ready', onReady);
    const failed = new Promise((resolve) => client.once('error', resolve));
    // Rejects only if the client is closed before.
    const connected = client.connect().catch(() => undefined);
    return {
      attempted: Promise.race([failed, connected]),
      evalSha: (sha1, options) => client.evalSha(sha1, options),
      eval: (script, options) => client.eval(script, options),
      isConnected: () => client.isReady,
      end: () => client.destroy(),
    };
  },
  async iovalkey(url, { onError, onReady }) {
    const { Redis } = await import('iovalkey');
    const client = new Redis(url, { lazyConnect: true, enableOfflineQueue: false });
    client.on('error', onError);
    client.on('ready', onReady);
    const words = ({ keys, arguments: values }: ScriptArguments) => [keys.length, ...keys, ...values] as const;
    return {
      attempted: client.connect().catch(() => undefined),
      evalSha: (sha1, options) => client.evalsha(sha1, ...words(options)),
      eval: (script, options) => client.eval(script, ...words(options)),
      isConnected: () => client.status === 'ready',
      end: () => client.disconnect(),
    };
  },
};

/** Receives the events of the connection. */
export interface RedisEvents {
  /** Receives the reason of each failure: a code such as `ECONNREFUSED`, or a message without a password. */
  onFailure(reason: string): void;
  /** Called each time there is a connection. */
  onReady(): void;
}

/** @throws {StartupError} If no package with a client is installed. */
export function createRedisClient(url: string, { onFailure, onReady }: RedisEvents): RedisClient {
  const open = OPENERS[installedPackage()] as (typeof OPENERS)[string];
  let opening: Promise<OpenClient> | undefined;
  let reason = 'not connected yet';
  const fail: Listeners['onError'] = ({ code, message }) => {
    reason = code ?? message;
    onFailure(reason);
  };
  const opened = async () => {
    opening ??= open(url, { onError: fail, onReady }).catch((error: Error) => {
      opening = undefined;
      fail(error);
      throw error;
    });
    const client = await opening;
    await client.attempted;
    return client;
  };
  const connected = async () => {
    const client = await opened();
    if (client.isConnected()) return client;
    throw new Error(`no connection to Redis (${reason})`);
  };
  return {
    evalSha: async (sha1, options) => (await connected()).evalSha(sha1, options),
    eval: async (script, options) => (await connected()).eval(script, options),
    open: () => opened().then(nothing, nothing),
    close: async () => (await opening?.catch(nothing))?.end(),
  };
}

const nothing = () => undefined;

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
