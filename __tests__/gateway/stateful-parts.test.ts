import { expect, test } from 'vitest';
import { StatefulParts } from '../../src/gateway/reload/stateful-parts.js';

/** Routes of a version of the file, each with its place and what its part does. */
type Version = Readonly<Record<string, string>>;

/** Takes the parts of a version; `kept` are the places of routes that stay as they are. */
function take(earlier: StatefulParts | undefined, version: Version, log: string[], kept: readonly string[] = []) {
  const parts = new StatefulParts(earlier, new Set(Object.keys(version)));
  for (const place of kept) parts.keep(place);
  const taken = Object.entries(version)
    .filter(([place]) => !kept.includes(place))
    .map(([place, content]) => {
      const name = `${content} made for ${place}`;
      const create = () => {
        log.push(`made ${name}`);
        return { value: name, end: () => log.push(`ended ${name}`), resume: () => log.push(`resumed ${name}`) };
      };
      return [place, parts.reuserFor(place)('auth', content, create)];
    });
  return { parts, taken: Object.fromEntries(taken) as Record<string, string> };
}

const X = { '/a': 'x', '/b': 'x' };

test.each<[what: string, before: Version, after: Version, taken: Record<string, string>]>([
  ['the same place', X, X, { '/a': 'x made for /a', '/b': 'x made for /b' }],
  ['another order', X, { '/b': 'x', '/a': 'x' }, { '/a': 'x made for /a', '/b': 'x made for /b' }],
  [
    'a new place beside it',
    { '/a': 'x' },
    { '/new': 'x', '/a': 'x' },
    { '/new': 'x made for /new', '/a': 'x made for /a' },
  ],
  ['a place that replaces it', { '/a': 'x' }, { '/new': 'x' }, { '/new': 'x made for /a' }],
  ['another content', { '/a': 'x' }, { '/a': 'y' }, { '/a': 'y made for /a' }],
])('a route takes the part of %s', (_what, before, after, expected) => {
  const log: string[] = [];
  const { parts } = take(undefined, before, log);
  expect(take(parts, after, log).taken).toEqual(expected);
});

test('a new route does not take the part of a route that stays as it is', () => {
  const log: string[] = [];
  const first = take(undefined, { '/a': 'x' }, log);
  const second = take(first.parts, { '/a': 'x', '/b': 'x' }, log, ['/a']);
  expect(second.taken).toEqual({ '/b': 'x made for /b' });
  second.parts.endEarlier();
  expect(log).toEqual(['made x made for /a', 'made x made for /b']);
});

test('a part is replaced as if it were gone, and ends with its version', () => {
  const log: string[] = [];
  const first = take(undefined, { '/a': 'x' }, log);
  const second = take(first.parts, { '/a': 'y' }, log);
  second.parts.endEarlier();
  second.parts.end();
  expect(log).toEqual([
    'made x made for /a',
    'ended x made for /a',
    'made y made for /a',
    'resumed x made for /a',
    'ended x made for /a',
    'ended y made for /a',
  ]);
});

test('a version that is not used ends what it made, and leaves the earlier one as it was', () => {
  const log: string[] = [];
  const first = take(undefined, X, log);
  take(first.parts, { '/a': 'x', '/b': 'y' }, log).parts.endCreated();
  expect(log.at(-1)).toBe('ended y made for /b');
  expect(take(first.parts, X, log).taken).toEqual({ '/a': 'x made for /a', '/b': 'x made for /b' });
});

test('a part ends when its route is gone, although another route at its place stays as it is', () => {
  const log: string[] = [];
  const create = (name: string) => () => ({ value: name, end: () => log.push(`ended ${name}`) });
  const first = new StatefulParts(undefined, new Set(['/a']));
  for (const key of ['one', 'two']) first.reuserFor('/a', key)('auth', key, create(key));
  const second = new StatefulParts(first, new Set(['/a']));
  second.keep('one');
  second.reuserFor('/a', 'three')('auth', 'three', create('three'));
  log.length = 0;
  second.endEarlier();
  expect(log).toEqual(['ended two']);
});
