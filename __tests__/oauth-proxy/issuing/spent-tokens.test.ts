import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createMemoryStore, type Store } from '../../../src/index.js';
import { refreshAt, startIssuingFlow, startIssuingServer, tokensOf } from '../../support/issuing-flow.js';

// The clock stands still, except where a test lets time pass.
beforeEach(() => void vi.useFakeTimers({ toFake: ['performance', 'Date'], now: Date.now() }));
afterEach(() => void vi.useRealTimers());

const MAX_VALUES = 100_000;

/** Returns a store as an earlier version of the interface had it, or as a user wrote one for that. */
function withoutRaise({ get, add, append, since, take }: Store): Store {
  return { get, add, append, since, take };
}

/** A store that changes some methods of another one, and does not know of `raise()`. */
function withOwnKeys(store: Store): Store {
  return {
    ...store,
    get: (key) => store.get(`own ${key}`),
    add: (key, value, ttlMs) => store.add(`own ${key}`, value, ttlMs),
  };
}

/** Notes which keys a store has got, and for how many milliseconds. */
function withNotes(store: Store) {
  const keys = new Map<string, number>();
  const noted: Store = {
    ...store,
    add(key, value, ttlMs) {
      keys.set(key, ttlMs);
      return store.add(key, value, ttlMs);
    },
    raise(key, number, ttlMs) {
      keys.set(key, ttlMs);
      return store.raise?.(key, number, ttlMs);
    },
  };
  return { keys, store: noted };
}

async function startReplicas(one: Store, two: Store) {
  const { upstream, server, client } = await startIssuingFlow({}, { store: one });
  const policy = { resourceMetadata: { resource: `${server.origin}/mcp` } };
  return { server, other: await startIssuingServer(upstream, { store: two, policy }), client };
}

/** The identity provider whose refreshes need the most keys. */
const ROTATES = { expiresIn: 28_800, refresh: 'rotates' } as const;
/** Those that each refresh keeps there, for ten minutes at most. */
const SHORT_LIVED = 2;
/** That of the login's code, for ten minutes. */
const USED_CODE = 1;

test('a store in memory does not fill with the refreshes of one login', async () => {
  const store = createMemoryStore();
  const { server, client } = await startIssuingFlow(ROTATES, { store });
  let { body } = await tokensOf(client);
  const room = 10 * SHORT_LIVED + 1 + USED_CODE;
  for (let i = 0; i < MAX_VALUES - room; i++) void store.add(`another ${i}`, '1', 30 * 86_400_000);
  for (let i = 0; i < 10; i++) {
    const answer = await refreshAt(server, client, body.refresh_token);
    expect([i, answer.status]).toEqual([i, 200]);
    body = answer.body;
  }
});

test('a login takes one key that stays, however often its tokens are refreshed', async () => {
  const { keys, store } = withNotes(createMemoryStore());
  const { server, client } = await startIssuingFlow(ROTATES, { store });
  let { body } = await tokensOf(client);
  for (let i = 0; i < 4; i++) body = (await refreshAt(server, client, body.refresh_token)).body;
  const kept = [...keys].filter(([, ttlMs]) => ttlMs > 600_000);
  expect(kept).toEqual([[expect.stringMatching(/^refresh last \S+$/), expect.closeTo(30 * 86_400_000, -4)]]);
  expect(keys.size).toBe(4 * SHORT_LIVED + 1 + USED_CODE);
  expect(store.get(kept[0]?.[0] ?? '')).toBe('3');
});

const same = (store: Store) => store;

describe.each<[string, (store: Store) => Store, (store: Store) => Store]>([
  ['with raise()', same, same],
  ['without raise()', withoutRaise, withoutRaise],
  ['with a raise() that does not fit its get()', withOwnKeys, withOwnKeys],
  ['that has got raise() since then', withoutRaise, same],
  ['that has lost raise() since then', same, withoutRaise],
])('a store %s', (_case, before, after) => {
  /** A login with three refresh tokens: two were used. The other replica has the same memory. */
  const refreshTwice = async () => {
    const memory = createMemoryStore();
    const { server, other, client } = await startReplicas(before(memory), after(memory));
    const { body: first } = await tokensOf(client);
    const { body: second } = await refreshAt(server, client, first.refresh_token);
    const { body: third } = await refreshAt(server, client, second.refresh_token);
    return { other, client, first, second, third };
  };

  test('gives a token that is used again within a minute the same answer', async () => {
    const { other, client, second, third } = await refreshTwice();
    expect((await refreshAt(other, client, second.refresh_token)).body).toEqual(third);
    expect((await refreshAt(other, client, third.refresh_token)).status).toBe(200);
  });

  test.each(['first', 'second'] as const)('ends the login when the %s token is used again later', async (which) => {
    const { other, client, third, ...used } = await refreshTwice();
    vi.advanceTimersByTime(61_000);
    const again = await refreshAt(other, client, used[which].refresh_token);
    expect(again.body).toMatchObject({
      error_description: 'The refresh token was used before, so this login has ended',
    });
    expect((await refreshAt(other, client, third.refresh_token)).body.error).toBe('invalid_grant');
  });

  test('keeps a used token used after newer ones were used there', async () => {
    const { other, client, second, third } = await refreshTwice();
    vi.advanceTimersByTime(61_000);
    expect((await refreshAt(other, client, third.refresh_token)).status).toBe(200);
    expect((await refreshAt(other, client, second.refresh_token)).body.error).toBe('invalid_grant');
  });
});

test('tokens of one login say nothing about those of another', async () => {
  const { server, client } = await startIssuingFlow({}, { store: createMemoryStore() });
  const [{ body: one }, { body: two }] = [await tokensOf(client), await tokensOf(client)];
  const { body: newer } = await refreshAt(server, client, one.refresh_token);
  await refreshAt(server, client, newer.refresh_token);
  expect((await refreshAt(server, client, two.refresh_token)).status).toBe(200);
});
