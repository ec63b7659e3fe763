export {
  createRedisStore,
  type IovalkeyClient,
  type NodeRedisClient,
  type RedisStoreOptions,
  type ScriptArguments,
} from './redis-store.js';
export type { Store, StoreBucket, StoreList } from './store.js';
