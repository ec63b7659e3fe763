import { expect, test } from 'vitest';
import { isLoopbackAddress, isLoopbackHost } from '../../src/http/loopback.js';

test.each<[text: string, asHost: boolean, asAddress: boolean]>([
  ['localhost', true, false],
  ['127.0.0.1', true, true],
  ['127.8.9.10', true, true],
  ['[::1]', true, false],
  ['::1', false, true],
  ['::ffff:127.0.0.1', false, true],
  ['127.0.0.1.example.com', false, false],
  ['127.1', false, false],
  ['127.0.0.256', false, false],
  ['128.0.0.1', false, false],
  ['localhost.example.com', false, false],
  ['::ffff:10.0.0.1', false, false],
  ['0.0.0.0', false, false],
  ['', false, false],
])('%j is this machine as a host: %s, as an address: %s', (text, asHost, asAddress) => {
  expect([isLoopbackHost(text), isLoopbackAddress(text)]).toEqual([asHost, asAddress]);
});
