import { Redis } from 'iovalkey';
import { createClient } from 'redis';
import { onTestFinished } from 'vitest';
import type { IovalkeyClient, NodeRedisClient } from '../../src/store/redis.js';

/** A connected client. Errors of its connection are ignored, as an application would log them. */
export const CLIENTS: Readonly<Record<string, (port: number) => Promise<NodeRedisClient | IovalkeyClient>>> = {
  redis: connectNodeRedis,
  async iovalkey(port) {
    const client = new Redis(port, '127.0.0.1');
    client.on('error', () => undefined);
    onTestFinished(() => client.disconnect());
    await client.ping();
    return client;
  },
};

export async function connectNodeRedis(port: number) {
  const client = createClient({ url: `redis://127.0.0.1:${port}` });
  client.on('error', () => undefined);
  await client.connect();
  onTestFinished(() => client.destroy());
  return client;
}
