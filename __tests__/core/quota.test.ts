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

/** A place in use: whose it is, when it had its latest request, and whether a client attends it. */
type Holding = [name: string, caller: Caller, lastUsed: number, attended: boolean];

/** Who asks, what is in use before (of at most 4, 2 of a user, 2 anonymous), and what ends for it or which cap refuses. */
const rows: [string, Caller, Holding[], { ends: string[] } | Cap][] = [
  ['nothing ends where there is room', ADA, [['a', ADA, 1, false]], { ends: [] }],
  [
    "a user's own that waits longest",
    ADA,
    [
      ['a', ADA, 2, false],
      ['b', ADA, 1, false],
    ],
    { ends: ['b'] },
  ],
  [
    "a user's own, not another's that waits longer",
    ADA,
    [
      ['a', ADA, 2, false],
      ['b', ADA, 3, true],
      ['c', BOB, 1, false],
    ],
    { ends: ['a'] },
  ],
  [
    "nothing of another's for a user at the cap of one",
    ADA,
    [
      ['a', ADA, 1, true],
      ['b', ADA, 1, true],
      ['c', BOB, 0, false],
    ],
    'user',
  ],
  [
    'at the cap of all, the own first',
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
    "at the cap of all, another's that waits longest",
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
    'at the cap of all, what is anonymous too',
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
    'nothing that clients attend',
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
    'an anonymous one for an anonymous caller',
    ANONYMOUS,
    [
      ['a', ANONYMOUS, 2, false],
      ['b', ANONYMOUS, 1, false],
      ['c', BOB, 0, false],
    ],
    { ends: ['b'] },
  ],
  [
    "nothing of a user's for an anonymous caller",
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
    'nothing, where anonymous callers attend their share',
    ANONYMOUS,
    [
      ['a', ANONYMOUS, 1, true],
      ['b', ANONYMOUS, 1, true],
    ],
    'anonymous',
  ],
  [
    'nothing, where no mcpAuth() decides and half is free',
    OPEN,
    [
      ['a', OPEN, 1, true],
      ['b', OPEN, 1, true],
    ],
    { ends: [] },
  ],
  [
    'the longest wait, where no mcpAuth() decides',
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

test.each(rows)('what makes room: %s', (_what, caller, holdings, expected) => {
  const quota = new Quota({ maxSessions: 4, maxSessionsPerUser: 2, maxAnonymousSessions: 2 });
  const ends: string[] = [];
  for (const [name, holder, lastUsed, attended] of holdings) {
    const share = quota.take(holder) as Lease;
    share.occupy({ lastUsed, attended }, () => {
      ends.push(name);
      share.release();
    });
  }
  const taken = quota.take(caller);
  expect('cap' in taken ? taken.cap : { ends }).toEqual(expected);
  if ('cap' in taken) expect([taken.isEnding, ends]).toEqual([false, []]);
});

test('what nobody can attend any more is not ended for a caller whom ending children keep waiting', () => {
  const quota = new Quota({ maxSessions: 4, maxSessionsPerUser: 2, maxAnonymousSessions: 2 });
  const ends: number[] = [];
  for (let i = 0; i < 4; i++) {
    const share = quota.take(ADA) as Lease;
    share.occupy({ lastUsed: i, attended: false }, () => {
      ends.push(i);
      share.release();
    });
  }
  expect(quota.take(ADA)).toEqual({ cap: 'user', isEnding: true });
  expect(ends).toEqual([0, 1]);
});
