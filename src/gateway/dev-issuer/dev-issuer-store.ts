import { LRUCache } from 'lru-cache';
import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider';
import type { SealedClients } from './sealed-clients.js';

const MAX_ENTRIES = 1_000;
const DAY_SECONDS = 86_400;

type Entries = LRUCache<string, AdapterPayload>;

/** The entries that are saved for the next start. */
export type StoreDump = ReturnType<Entries['dump']>;

/** Saved, because a client needs them to refresh its token after a restart. */
const SAVED_MODELS = ['RefreshToken:', 'Grant:'];

export interface DevIssuerStore {
  readonly adapter: AdapterFactory;
  dump(): StoreDump;
}

/** Anyone can create these by starting a login. Kept apart, so that many of them do not evict the developer's grants. */
const UNAUTHENTICATED_MODELS = ['Interaction', 'Session'];

/** Creates the bounded memory of the development issuer. Clients need none: their sealed ids contain them. */
export function createDevIssuerStore(clients: SealedClients, dump: StoreDump): DevIssuerStore {
  const createEntries = (): Entries => new LRUCache({ max: MAX_ENTRIES });
  const [entries, unauthenticated] = [createEntries(), createEntries()];
  entries.load(dump);
  const entriesOf = (model: string) => (UNAUTHENTICATED_MODELS.includes(model) ? unauthenticated : entries);
  return {
    adapter: (model) => (model === 'Client' ? clientAdapter(clients) : modelAdapter(model, entriesOf(model))),
    dump: () => entries.dump().filter(([key]) => SAVED_MODELS.some((model) => key.startsWith(model))),
  };
}

/** A client's id contains the client, so there is nothing to write. */
function clientAdapter(clients: SealedClients): Adapter {
  const nothing = async () => undefined;
  return {
    find: async (id) => clients.open(id),
    findByUid: nothing,
    findByUserCode: nothing,
    upsert: nothing,
    consume: nothing,
    destroy: nothing,
    revokeByGrantId: nothing,
  };
}

function modelAdapter(model: string, entries: Entries): Adapter {
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
}
