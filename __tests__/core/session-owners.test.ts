import { describe, expect, test } from 'vitest';
import { SessionOwners } from '../../src/core/session-owners.js';
import { memoryInUse } from '../support/memory-in-use.js';

const create = (maxSessions = 100, maxSessionsPerUser = 10) => new SessionOwners({ maxSessions, maxSessionsPerUser });

/** A user whose only client is at one path. */
const caller = (name: string) => ({ owner: `${name} /mcp`, user: () => name });
const [alice, bob] = [caller('alice'), caller('bob')];

type Caller = typeof alice;

const assign = (owners: SessionOwners, id: string, { owner, user }: Caller) => owners.assign(id, owner, user);

/** Returns the outcome of a request that names `id`. The request succeeds unless `isKept` is false. */
function name(owners: SessionOwners, id: string, { owner, user }: Caller, isKept = true): string {
  const named = owners.name(id, owner, user);
  if (typeof named === 'string') return named;
  named(isKept);
  return 'claimed';
}

describe('an id that the server assigned', () => {
  const ids: [name: string, id: string, other?: string][] = [
    ['a UUID', '0e0a8a52-2c1d-4d0e-9d3f-8f0f5d1c7b11'],
    ['other capitals', '0e0a8a52-2c1d-4d0e-9d3f-8f0f5d1c7b11', '0E0A8A52-2C1D-4D0E-9D3F-8F0F5D1C7B11'],
    ['a name that every object has', '__proto__'],
    ['another one', 'constructor'],
    ['10,000 characters', 'x'.repeat(10_000)],
    ['a line end first', '\nx'],
  ];
  test.each(ids)('belongs to its owner alone: %s', (_name, id, other = id) => {
    const owners = create();
    expect(assign(owners, id, alice)).toBe(true);
    expect(name(owners, other, bob)).toBe('foreign');
    expect(assign(owners, other, bob)).toBe(false);
    expect(name(owners, other, alice)).toBe('known');
    expect(name(owners, other, { ...alice, owner: 'alice /other' })).toBe('foreign');
  });

  test('is told from one that begins with the same 10,000 characters', () => {
    const owners = create();
    assign(owners, `${'x'.repeat(10_000)}1`, alice);
    expect(name(owners, `${'x'.repeat(10_000)}2`, bob)).toBe('claimed');
  });
});

describe('an unknown id', () => {
  test('belongs to the first who names it, while the answer is on its way and afterwards', () => {
    const owners = create();
    const claim = owners.name('id', alice.owner, alice.user);
    expect(name(owners, 'id', bob)).toBe('foreign');
    if (typeof claim === 'function') claim(true);
    expect(name(owners, 'id', bob)).toBe('foreign');
    expect(name(owners, 'id', alice)).toBe('known');
  });

  test('belongs to no one once the server has refused it', () => {
    const owners = create();
    expect(name(owners, 'id', alice, false)).toBe('claimed');
    expect(owners.size).toBe(0);
    expect(name(owners, 'id', bob)).toBe('claimed');
    expect(name(owners, 'id', alice)).toBe('foreign');
  });

  test('stays with its owner until the last of several requests is refused', () => {
    const owners = create();
    const claim = owners.name('id', alice.owner, alice.user);
    expect(name(owners, 'id', alice, false)).toBe('claimed');
    expect(name(owners, 'id', bob)).toBe('foreign');
    if (typeof claim === 'function') claim(false);
    expect(name(owners, 'id', bob)).toBe('claimed');
  });

  test('stays with its owner where a later request is refused', () => {
    const owners = create();
    const late = owners.name('id', alice.owner, alice.user);
    expect(name(owners, 'id', alice)).toBe('claimed');
    if (typeof late === 'function') late(false);
    expect(name(owners, 'id', bob)).toBe('foreign');
  });

  test('that made room, and got another owner meanwhile, is not taken from that one', () => {
    const owners = create(100, 1);
    const late = owners.name('id', alice.owner, alice.user);
    assign(owners, 'other', alice);
    assign(owners, 'id', bob);
    if (typeof late === 'function') late(false);
    expect(name(owners, 'id', bob)).toBe('known');
  });
});

describe('the bounds', () => {
  test('a user whose share is full loses the own longest unused session, and no one else loses any', () => {
    const owners = create(100, 3);
    assign(owners, 'of-bob', bob);
    for (const id of ['a', 'b', 'c']) assign(owners, id, alice);
    expect(name(owners, 'a', alice)).toBe('known');
    for (let i = 0; i < 1_000; i++) name(owners, `flood-${i}`, alice, i % 2 === 0);
    expect(owners.size).toBe(3);
    expect(name(owners, 'of-bob', bob)).toBe('known');

    assign(owners, 'x', alice);
    expect(name(owners, 'flood-996', alice)).toBe('known');
    expect(name(owners, 'b', bob)).toBe('claimed');
  });

  test('a session that its owner uses outlasts those that are not used', () => {
    const owners = create(100, 2);
    assign(owners, 'used', alice);
    for (let i = 0; i < 50; i++) {
      assign(owners, `flood-${i}`, alice);
      expect(name(owners, 'used', alice)).toBe('known');
      expect(name(owners, `flood-${i}`, bob)).toBe('foreign');
    }
  });

  test('another user who names a session does not make it outlast others', () => {
    const owners = create(100, 2);
    assign(owners, 'first', alice);
    assign(owners, 'second', alice);
    expect(name(owners, 'first', bob)).toBe('foreign');
    assign(owners, 'third', alice);
    expect(name(owners, 'second', bob)).toBe('foreign');
    expect(name(owners, 'first', bob)).toBe('claimed');
  });

  test('where all is full, the user with the most sessions loses the longest unused', () => {
    const owners = create(10, 8);
    assign(owners, 'of-bob', bob);
    for (let i = 0; i < 8; i++) assign(owners, `of-alice-${i}`, alice);
    for (let i = 0; i < 4; i++) assign(owners, `of-carol-${i}`, caller('carol'));
    expect(owners.size).toBe(10);
    expect(name(owners, 'of-bob', bob)).toBe('known');
    for (let i = 0; i < 4; i++) expect(name(owners, `of-carol-${i}`, bob)).toBe('foreign');
    expect(name(owners, 'of-alice-2', bob)).toBe('claimed');
    expect(name(owners, 'of-alice-3', bob)).toBe('claimed');
    expect(name(owners, 'of-alice-7', bob)).toBe('foreign');
  });

  test('no order of sessions that come and go leaves more than the bounds', () => {
    const owners = create(20, 5);
    let seed = 1;
    const next = (below: number) => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % below;
    };
    for (let i = 0; i < 1_000; i++) {
      const user = caller(`user-${next(9)}`);
      if (next(2) === 0) assign(owners, `id-${next(60)}`, user);
      else name(owners, `id-${next(60)}`, user, next(2) === 0);
      expect(owners.size).toBeLessThanOrEqual(20);
    }
  });

  test('300 sessions with long ids of owners with long names take less than 2 KB each', async () => {
    const owners = new SessionOwners();
    const before = await memoryInUse();
    for (let i = 0; i < 300; i++) {
      const long = `${i}${'x'.repeat(16_000)}`;
      owners.assign(long, long, () => long);
    }
    expect(owners.size).toBe(300);
    expect((await memoryInUse()) - before).toBeLessThan(600_000);
    expect(owners.size).toBe(300);
  });
});
