import { expect, test } from 'vitest';
import type { ShownCaller, ShownCallers } from '../../src/admin/seen-callers.js';
import { servePageAlone } from '../support/admin-app.js';
import { publishCall } from '../support/call-records.js';

const ISSUER = 'https://issuer.test';

/** Serves a page, and publishes the calls of users, each with their number. */
async function callersAfter(calls: readonly (readonly [user: string, count: number, issuer?: string])[]) {
  const { get } = await servePageAlone();
  for (const [user, count, issuer = ISSUER] of calls)
    for (let i = 0; i < count; i++) publishCall({ user, issuer, client: 'editor', time: 1_000 + i, durationMs: 5 });
  return (await get('api/callers')).body as ShownCallers;
}

const namesOf = (callers: readonly ShownCaller[]) => callers.map(({ name }) => name).sort();

test('every call of a caller is counted, also without an open page, and one who calls often hides no other', async () => {
  const { users, clients, isComplete } = await callersAfter([
    ['busy', 5_000],
    ['rare', 1],
    ['busy', 5_000],
  ]);
  expect(users).toHaveLength(2);
  expect(users).toContainEqual({ name: 'rare', issuer: ISSUER, calls: 1, lastSeen: 1_005, partners: ['editor'] });
  expect(users).toContainEqual({ name: 'busy', issuer: ISSUER, calls: 10_000, lastSeen: 6_004, partners: ['editor'] });
  expect(clients).toEqual([
    { name: 'editor', issuer: ISSUER, calls: 10_001, lastSeen: 6_004, partners: ['busy', 'rare'] },
  ]);
  expect(isComplete).toBe(true);
});

test('of more than 1,000 users, those that called last are listed, and the answer says so', async () => {
  const others = Array.from({ length: 1_500 }, (_, n) => [`other ${n}`, 1] as const);
  const all = await callersAfter([['known', 3], ...others.slice(0, 999)]);
  expect([all.users.length, all.isComplete, all.max]).toEqual([1_000, true, 1_000]);
  const last = await callersAfter([['known', 1], ['gone', 1], ...others.slice(0, 998), ['known', 1], ['newest', 1]]);
  expect([last.users.length, last.isComplete]).toEqual([1_000, false]);
  expect(namesOf(last.users)).toEqual(expect.arrayContaining(['known', 'newest', 'other 0']));
  expect(namesOf(last.users)).not.toContain('gone');
});

test('users of one name at two issuers are two users, and no name can look like that of another issuer', async () => {
  const { users } = await callersAfter([
    ['alice', 1],
    ['alice', 2, 'https://other.test'],
    ['/alice', 4],
    ['alice', 8, `${ISSUER}/`],
  ]);
  expect(users.map(({ calls }) => calls).sort()).toEqual([1, 2, 4, 8]);
});

test('at most five clients of a user are named, and long names are shortened', async () => {
  const { get } = await servePageAlone();
  const long = 'x'.repeat(100_000);
  for (let n = 0; n < 6; n++) publishCall({ user: long, client: `client ${n}`, issuer: ISSUER });
  publishCall({ client: long });
  publishCall();
  const { users, clients } = (await get('api/callers')).body as ShownCallers;
  const name = `${'x'.repeat(300)}…`;
  expect(users).toMatchObject([{ name, calls: 6, partners: [0, 1, 2, 3, 4].map((n) => `client ${n}`) }]);
  expect(namesOf(clients)).toEqual([...[0, 1, 2, 3, 4, 5].map((n) => `client ${n}`), name]);
  expect(clients.find((client) => client.name === name)).not.toHaveProperty('issuer');
});
