import { expect, test } from 'vitest';
import { withoutOrigin } from '../../src/http/request-target.js';

// RFC 9112, section 3.2: origin form and absolute form. What is in neither stays as it is.
test.each([
  ['/a?b', '/a?b'],
  ['//h/a', '//h/a'],
  ['*', '*'],
  ['http://h/a?b', '/a?b'],
  ['HTTPS://H.example:443/a', '/a'],
  ['http://h:/a', '/a'],
  ['http://h:000080/a', '/a'],
  ['http://[::1]:80/a', '/a'],
  ['http://h//a', '//a'],
  ['http://h', '/'],
  ['http://h?b', '/?b'],
  ['http://user@h/a', 'http://user@h/a'],
  ['http:///a', 'http:///a'],
  ['ws://h/a', 'ws://h/a'],
  ['http://h\\a', 'http://h\\a'],
  ['http://h/a\\b', 'http://h/a\\b'],
  ['http://h#/a', 'http://h#/a'],
])('the target %s is read as %s', (target, expected) => {
  expect(withoutOrigin(target)).toBe(expected);
});
