import { expect, test } from 'vitest';
import type { AuthInfo } from '../../src/core/auth-info.js';
import { type Caller, type Cap, type Lease, Quota } from '../../src/core/quota.js';

const ANONYMOUS = { auth: undefined, isChecked: true };
const OPEN = { auth: undefined, isChecked: false };
const user = (subject: string) => {
  const auth: AuthInfo = { token: subject, subject, clientId: '', scopes: [], extra: {}, header: {}, payload: {} };
  return { auth, isChecked: true };
};
const ADA = user('ada');
const BOB = user('bob');
const EVE = user('eve');

/** A slot in use: its caller, the time of its last request, and whether a client uses it. */
type UsedSlot = [name: string, caller: Caller, lastUsed: number, isInUse: boolean];

/** The caller, the slots in use (at most 4, 2 of a user, 2 anonymous), and the slots that end or the cap that refuses. */
const rows: [string, Caller, UsedSlot[], { ends: string[] } | Cap][] = [
  ['nothing ends if a slot is free', ADA, [['a', ADA, 1, false]], { ends: [] }],
  [
    "the user's own slot without a request for the longest time",
    ADA,
    [
      ['a', ADA, 2, false],
      ['b', ADA, 1, false],
    ],
    { ends: ['b'] },
  ],
  [
    "the user's own slot, not another user's, even if that waits longer",
    ADA,
    [
      ['a', ADA, 2, false],
      ['b', ADA, 3, true],
      ['c', BOB, 1, false],
    ],
    { ends: ['a'] },
  ],
  [
    "no slot of another user, at the user's cap",
    ADA,
    [
      ['a', ADA, 1, true],
      ['b', ADA, 1, true],
      ['c', BOB, 0, false],
    ],
    'user',
  ],
  [
    "at the cap of all, the user's own slot first",
    ADA,
    [
      ['a', ADA, 9, false],
      ['b', BOB, 1, false],
      ['c', EVE, 1, false],
      ['d', EVE, 1, false],
    ],
    { ends: ['a'] },
  ],
  [
    'at the cap of all, the slot of another user that waits longest',
    ADA,
    [
      ['a', ADA, 0, true],
      ['b', BOB, 2, false],
      ['c', EVE, 1, false],
      ['d', EVE, 3, false],
    ],
    { ends: ['c'] },
  ],
  [
    'at the cap of all, an anonymous slot too',
    ADA,
    [
      ['a', ANONYMOUS, 1, false],
      ['b', BOB, 2, true],
      ['c', EVE, 1, true],
      ['d', EVE, 3, true],
    ],
    { ends: ['a'] },
  ],
  [
    'no slot that a client uses',
    ADA,
    [
      ['a', BOB, 1, true],
      ['b', BOB, 2, true],
      ['c', EVE, 1, true],
      ['d', EVE, 3, true],
    ],
    'all',
  ],
  [
    'an anonymous slot for an anonymous caller',
    ANONYMOUS,
    [
      ['a', ANONYMOUS, 2, false],
      ['b', ANONYMOUS, 1, false],
      ['c', BOB, 0, false],
    ],
    { ends: ['b'] },
  ],
  [
    "no user's slot for an anonymous caller",
    ANONYMOUS,
    [
      ['a', BOB, 1, false],
      ['b', BOB, 1, false],
      ['c', EVE, 1, false],
      ['d', EVE, 1, false],
    ],
    'all',
  ],
  [
    'no slot, if anonymous callers use all of theirs',
    ANONYMOUS,
    [
      ['a', ANONYMOUS, 1, true],
      ['b', ANONYMOUS, 1, true],
    ],
    'anonymous',
  ],
  [
    'no slot, if half of them are free and there is no mcpAuth()',
    OPEN,
    [
      ['a', OPEN, 1, true],
      ['b', OPEN, 1, true],
    ],
    { ends: [] },
  ],
  [
    'the slot that waits longest, if there is no mcpAuth()',
    OPEN,
    [
      ['a', OPEN, 2, false],
      ['b', OPEN, 1, false],
      ['c', OPEN, 0, true],
      ['d', OPEN, 3, false],
    ],
    { ends: ['b'] },
  ],
];

test.each(rows)('ends for a new slot: %s', (_what, caller, used, expected) => {
  const quota = new Quota({ maxSessions: 4, maxSessionsPerUser: 2, maxAnonymousSessions: 2 });
  const ends: string[] = [];
  for (const [name, holder, lastUsed, isInUse] of used) {
    const lease = quota.take(holder) as Lease;
    lease.occupy({ lastUsed, isInUse }, () => {
      ends.push(name);
      lease.release();
    });
  }
  const taken = quota.take(caller);
  expect('cap' in taken ? taken.cap : { ends }).toEqual(expected);
  if ('cap' in taken) expect([taken.isEnding, ends]).toEqual([false, []]);
});

test('no further slot ends for a caller that has to wait for ending children', () => {
  const quota = new Quota({ maxSessions: 4, maxSessionsPerUser: 2, maxAnonymousSessions: 2 });
  const ends: number[] = [];
  for (let i = 0; i < 4; i++) {
    const lease = quota.take(ADA) as Lease;
    lease.occupy({ lastUsed: i, isInUse: false }, () => {
      ends.push(i);
      lease.release();
    });
  }
  expect(quota.take(ADA)).toEqual({ cap: 'user', isEnding: true });
  expect(ends).toEqual([0, 1]);
});
