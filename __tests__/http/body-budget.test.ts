import { expect, test } from 'vitest';
import { createBodyBudget } from '../../src/http/body-budget.js';

type Step = readonly [caller: string | undefined, name: string, bytes: number];

/** Adds bytes to bodies in turn; returns the names of the refused bodies. Each caller may have 10 bytes, and all together 25. */
function refusedAfter(steps: readonly Step[], finished: readonly string[] = []): string[] {
  const begin = createBodyBudget(10, 25);
  const bodies = new Map<string, ReturnType<typeof begin>>();
  const refused: string[] = [];
  for (const [caller, name, bytes] of steps) {
    const body =
      bodies.get(name) ??
      begin(caller, () => {
        refused.push(name);
        body.done();
      });
    bodies.set(name, body);
    if (!refused.includes(name)) body.add(bytes);
    if (finished.includes(name)) body.done();
  }
  return refused;
}

const table: readonly [string, readonly Step[], readonly string[]][] = [
  [
    'no body within the limits',
    [
      ['a', '1', 5],
      ['a', '2', 5],
    ],
    [],
  ],
  ['no body that is the only one, however long', [['a', '1', 100]], []],
  [
    "a caller's largest, when another one arrives",
    [
      ['a', '1', 8],
      ['a', '2', 3],
    ],
    ['1'],
  ],
  [
    "a caller's largest, if that is the one that grows",
    [
      ['a', '1', 3],
      ['a', '2', 8],
    ],
    ['2'],
  ],
  [
    'as many as necessary',
    [
      ['a', '1', 5],
      ['a', '2', 5],
      ['a', '3', 6],
      ['a', '4', 5],
    ],
    ['3', '1'],
  ],
  [
    'of anonymous callers, the largest',
    [
      [undefined, '1', 8],
      [undefined, '2', 3],
      ['a', '3', 9],
    ],
    ['1'],
  ],
  [
    'no short body, for the long bodies of others',
    [
      ['a', '1', 9],
      ['a', '2', 9],
      ['b', '3', 9],
      ['c', '4', 2],
    ],
    ['1'],
  ],
  [
    'the largest of all, if all together are too many',
    [
      ['a', '1', 9],
      ['b', '2', 10],
      ['c', '3', 9],
    ],
    ['2'],
  ],
  [
    'the largest of all, not one that is short',
    [
      ['a', '1', 10],
      ['b', '2', 9],
      ['c', '3', 6],
      ['d', '4', 1],
    ],
    ['1'],
  ],
];
test.each(table)('refuses %s', (_title, steps, expected) => {
  expect(refusedAfter(steps)).toEqual(expected);
});

test('a body that has arrived or was refused no longer counts', () => {
  const steps: Step[] = ['1', '2', '3', '4', '5'].map((name) => ['a', name, 9]);
  expect(refusedAfter(steps, ['1', '2', '3', '4', '5'])).toEqual([]);
});
