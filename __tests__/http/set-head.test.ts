import type { RequestListener } from 'node:http';
import { expect, test } from 'vitest';
import { setHead } from '../../src/http/set-head.js';
import { serve } from '../support/loopback-server.js';

const cookies = ['a=1', 'b=2'];

test.each<[form: string, rest: readonly unknown[], statusText: string]>([
  ['an object', [{ 'Set-Cookie': cookies, 'X-One': 1, 'x-none': undefined }], 'Created'],
  ['an object after a message', ['Fine', { 'set-cookie': cookies, 'x-one': 1 }], 'Fine'],
  ['an object after no message', [undefined, { 'set-cookie': cookies, 'x-one': 1 }], 'Created'],
  ['names and values in turn', [['Set-Cookie', 'a=1', 'x-one', '1', 'set-cookie', 'b=2']], 'Created'],
  ['names and values in turn, with a list', ['Fine', ['set-cookie', cookies, 'x-one', '1']], 'Fine'],
  [
    'pairs',
    [
      [
        ['set-cookie', 'a=1'],
        ['x-one', '1'],
        ['SET-COOKIE', 'b=2'],
      ],
    ],
    'Created',
  ],
])('a head given as %s replaces what was set before, and keeps each cookie', async (_form, rest, statusText) => {
  const answer: RequestListener = (_req, res) => {
    res.setHeader('set-cookie', ['old=1', 'old=2']).setHeader('x-before', 'yes');
    setHead(res, [201, ...rest]);
    res.end();
  };
  const response = await fetch(await serve(answer));
  const { headers } = response;
  expect([headers.getSetCookie(), headers.get('x-one'), headers.get('x-before')]).toEqual([cookies, '1', 'yes']);
  expect([response.status, response.statusText]).toEqual([201, statusText]);
});
