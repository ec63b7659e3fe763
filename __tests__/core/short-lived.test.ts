import { describe, expect, test } from 'vitest';
import { ShortLivedMap, ShortLivedSet } from '../../src/core/short-lived.js';

const member = (name: string) => ({ name, number: 0 });

function createSet() {
  const set = new ShortLivedSet<ReturnType<typeof member>>();
  const members = ['a', 'b', 'c'].map(member);
  for (const each of members) set.add(each);
  return { set, members };
}

describe('ShortLivedSet', () => {
  test.each([
    ['first', 0, ['b', 'c']],
    ['middle', 1, ['a', 'c']],
    ['last', 2, ['a', 'b']],
  ])('loses the %s member only, and keeps the order', (_which, index, left) => {
    const { set, members } = createSet();
    const leaving = members[index] ?? member('none');
    expect(set.delete(leaving)).toBe(true);
    expect(set.delete(leaving)).toBe(false);
    expect(set.values().map(({ name }) => name)).toEqual(left);
    expect(set.size).toBe(2);
  });

  test('says of another object that it is no member, whatever its number is', () => {
    const { set } = createSet();
    expect(set.delete(member('d'))).toBe(false);
    expect(set.delete({ name: 'd', number: 1 })).toBe(false);
    expect(set.size).toBe(3);
  });

  test('has each member once', () => {
    const { set, members } = createSet();
    for (const each of members) set.add(each);
    expect(set.values()).toEqual(members);
  });

  test('all members may leave while it is read, and enter again', () => {
    const { set, members } = createSet();
    for (const each of set.values()) set.delete(each);
    expect(set.size).toBe(0);
    for (const each of members) set.add(each);
    expect(set.values()).toEqual(members);
  });
});

describe('ShortLivedMap', () => {
  function createMap() {
    const map = new ShortLivedMap<string, number>();
    map.set('a', 1);
    map.set('b', 2);
    map.set('b', 3);
    return map;
  }

  test.each([
    ['a', 1, true],
    ['b', 3, true],
    ['c', undefined, false],
  ])('finds the last value of a key: %s', (key, value, isKnown) => {
    const map = createMap();
    expect(map.get(key)).toBe(value);
    expect(map.has(key)).toBe(isKnown);
    expect(map.delete(key)).toBe(isKnown);
    expect(map.has(key)).toBe(false);
  });

  test('lists its members', () => {
    const map = createMap();
    expect(map.size).toBe(2);
    expect(map.keys()).toEqual(['a', 'b']);
    expect(map.values()).toEqual([1, 3]);
    expect(map.entries()).toEqual([
      ['a', 1],
      ['b', 3],
    ]);
  });
});
