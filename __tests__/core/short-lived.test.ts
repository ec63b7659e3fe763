import { describe, expect, test } from 'vitest';
import { ShortLivedMap, ShortLivedSet } from '../../src/core/short-lived.js';

describe('ShortLivedSet', () => {
  const member = (name: string) => ({ name, place: -1 });

  test.each([
    ['the first', 'a', ['c', 'b']],
    ['one in the middle', 'b', ['a', 'c']],
    ['the last', 'c', ['a', 'b']],
  ])('loses %s only', (_which, name, left) => {
    const set = new ShortLivedSet<ReturnType<typeof member>>();
    const members = ['a', 'b', 'c'].map(member);
    for (const each of members) set.add(each);
    const leaving = members.find((each) => each.name === name) ?? member(name);
    expect(set.delete(leaving)).toBe(true);
    expect(set.delete(leaving)).toBe(false);
    expect(set.values().map((each) => each.name)).toEqual(left);
    expect(set.size).toBe(2);
  });

  test('says of another object that it is no member', () => {
    const set = new ShortLivedSet<ReturnType<typeof member>>();
    set.add(member('a'));
    expect(set.delete(member('b'))).toBe(false);
    expect(set.delete({ name: 'c', place: 0 })).toBe(false);
    expect(set.size).toBe(1);
  });

  test('all may leave while it is read, and enter again', () => {
    const set = new ShortLivedSet<ReturnType<typeof member>>();
    const members = ['a', 'b', 'c'].map(member);
    for (const each of members) set.add(each);
    for (const each of set.values()) set.delete(each);
    expect(set.size).toBe(0);
    for (const each of members) set.add(each);
    expect(set.values()).toEqual(members);
  });
});

describe('ShortLivedMap', () => {
  test('is a map', () => {
    const map = new ShortLivedMap<string, number>();
    map.set('a', 1);
    map.set('b', 2);
    map.set('b', 3);
    map.delete('c');
    expect([map.size, map.get('a'), map.get('b'), map.get('c'), map.has('b'), map.has('c')]).toEqual([
      ...[2, 1, 3, undefined],
      ...[true, false],
    ]);
    expect([map.keys(), map.values(), map.entries()]).toEqual([
      ['a', 'b'],
      [1, 3],
      [
        ['a', 1],
        ['b', 3],
      ],
    ]);
    map.delete('a');
    expect(map.entries()).toEqual([['b', 3]]);
  });
});
