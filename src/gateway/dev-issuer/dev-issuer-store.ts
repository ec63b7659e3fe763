import { LRUCache } from 'lru-cache';
import type { AdapterFactory, AdapterPayload } from 'oidc-provider';

const MOST_ENTRIES = 1_000;
const DAY_SECONDS = 86_400;

/** What the development issuer remembers, until it ends: anybody may register clients, so that it must be bounded. */
export function createDevIssuerStore(): AdapterFactory {
  const entries = new LRUCache<string, AdapterPayload>({ max: MOST_ENTRIES });
  return (model) => {
    const find = async (id: string) => entries.get(`${model}:${id}`);
    const findBy = async (member: 'uid' | 'userCode', value: string) =>
      [...entries.entries()].find(([key, payload]) => key.startsWith(`${model}:`) && payload[member] === value)?.[1];
    return {
      find,
      findByUid: (uid) => findBy('uid', uid),
      findByUserCode: (userCode) => findBy('userCode', userCode),
      async upsert(id, payload, expiresIn = DAY_SECONDS) {
        entries.set(`${model}:${id}`, payload, { ttl: Math.max(1, expiresIn) * 1000 });
      },
      async consume(id) {
        const payload = await find(id);
        if (payload !== undefined) payload.consumed = Math.floor(Date.now() / 1000);
      },
      async destroy(id) {
        entries.delete(`${model}:${id}`);
      },
      async revokeByGrantId(grantId) {
        for (const [key, payload] of [...entries.entries()]) if (payload.grantId === grantId) entries.delete(key);
      },
    };
  };
}
