import { once } from 'node:events';
import {
  get,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
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

type WriteHead = (res: ServerResponse, headers: OutgoingHttpHeaders) => unknown;

/** The headers of an answer, as they are on the wire. */
async function headersOf(writeHead: WriteHead, headers: OutgoingHttpHeaders): Promise<readonly string[]> {
  const url = await serve((_req, res) => {
    // As Express does. Node then sets each header of the head.
    res.setHeader('X-Powered-By', 'Express').setHeader('Set-Cookie', 'old=1');
    res.sendDate = false;
    writeHead(res, headers);
    res.end('hello');
  });
  const [response] = (await once(get(url), 'response')) as [IncomingMessage];
  response.resume();
  return response.rawHeaders;
}

test.each<[what: string, headers: OutgoingHttpHeaders]>([
  ['two types', { 'content-type': 'text/plain', 'Content-Type': 'application/json' }],
  ['two lengths', { 'content-length': 9, 'Content-Length': 5 }],
  ['two rules for caches', { 'cache-control': 'public, max-age=60', 'Cache-Control': 'no-store' }],
  ['one origin twice', { 'access-control-allow-origin': 'https://a', 'Access-Control-Allow-Origin': 'https://a' }],
  ['cookies under two names', { 'set-cookie': cookies, 'Set-Cookie': 'c=3' }],
  ['a list of cookies under the second name', { 'set-cookie': 'c=3', 'Set-Cookie': cookies }],
  ['no prototype', Object.assign(Object.create(null), { 'X-One': 1, 'x-one': 2 })],
])('a head given as an object with %s is sent as Node sends it', async (_what, headers) => {
  const byNode = await headersOf((res, head) => res.writeHead(200, head), headers);
  const bySetHead = await headersOf((res, head) => {
    setHead(res, [200, head]);
    res.writeHead(res.statusCode);
  }, headers);
  expect(bySetHead).toEqual(byNode);
});
