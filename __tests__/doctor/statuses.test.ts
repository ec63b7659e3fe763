import { expect, test } from 'vitest';
import type { Reader } from '../../src/doctor/finding.js';
import { goodToken, lineOf, type Reply, replyingWhere, startFaultyServer } from '../support/faulty-server.js';

const HTML = { 'content-type': 'text/html' };
const JSON_TYPE = { 'content-type': 'application/json' };
const errorFor = (reason: string) =>
  JSON.stringify({ jsonrpc: '2.0', id: 1, error: { code: -32000, message: 'x', data: { reason } } });

const PAGE =
  'Check the address; and see whether something on the way answers in the place of the server, such as a login page.';
const ELSEWHERE =
  'Give out the address that it redirects to; where that is a login page, let this path through to MCP.';
const UNREADABLE = 'Clients get no answer that they can read.';
const NO_LOGIN = 'Clients report an error instead of logging in.';

const NO_ANSWER = 'Clients get this in the place of an answer; it says nothing of the token.';

/** What is seen with a token; without, a status of 400 and more is "…, not 401". */
type Row = readonly [reply: Reply, mark: string, seen: string, affects: string, forCode: string, forFile?: string];

const replies: readonly Row[] = [
  [{ status: 200, body: '<html>', headers: HTML }, '✗', '200 with text/html, no answer of MCP', UNREADABLE, PAGE],
  [
    { status: 200, body: '{}', headers: JSON_TYPE },
    '✗',
    '200 with application/json, no answer of MCP',
    UNREADABLE,
    PAGE,
  ],
  [{ status: 200 }, '✗', '200 with no content type, no answer of MCP', UNREADABLE, PAGE],
  [{ status: 202 }, '✗', '202 with no content type, no answer of MCP', UNREADABLE, PAGE],
  [{ status: 204 }, '✗', '204 with no content type, no answer of MCP', UNREADABLE, PAGE],
  ...[301, 302, 303, 307, 308].map((status): Row => {
    const seen = `${status} to https://sso.example/login`;
    const reply = { status, headers: { location: 'https://sso.example/login' } };
    return [reply, '✗', seen, 'Clients do not follow with their token.', ELSEWHERE];
  }),
  [
    { status: 400 },
    '✗',
    '400',
    NO_LOGIN,
    'Look into the log of whatever answered; the request was initialize, in JSON.',
  ],
  [
    { status: 403 },
    '✗',
    '403',
    NO_LOGIN,
    'See what refuses: a firewall, a check of Host or Origin, or the application. Clients log in after a 401 only.',
  ],
  [
    { status: 403, body: errorFor('foreign_host') },
    '✗',
    '403 (foreign_host)',
    NO_LOGIN,
    'See foreign_host in docs/errors.md.',
  ],
  [
    { status: 404 },
    '✗',
    '404',
    NO_LOGIN,
    'Check the path, and that mcpAuth() stands before whatever answered.',
    'Check the path: a route of the running file must match it, and resourceMetadata.resource must have it.',
  ],
  [
    { status: 405 },
    '✗',
    '405',
    NO_LOGIN,
    'Let POST through: app.use() or app.all() for the path, not app.get().',
    'See what stands before the gateway, which takes POST on every route.',
  ],
  [
    { status: 406 },
    '✗',
    '406',
    NO_LOGIN,
    'See what answered: the request accepts application/json and text/event-stream, as that of every client.',
  ],
  [{ status: 407 }, '✗', '407', NO_LOGIN, 'See which proxy on the way wants a login of its own.'],
  [
    { status: 415 },
    '✗',
    '415',
    NO_LOGIN,
    'See what answered: the request is application/json, as that of every client.',
  ],
  [{ status: 418 }, '✗', '418', NO_LOGIN, 'See what answered, and why.'],
  [
    { status: 421 },
    '✗',
    '421',
    NO_LOGIN,
    'Check host name and proxy: whatever answered does not serve this host on this connection.',
  ],
  [{ status: 429 }, '!', '429', 'Too many requests: what a client would get is not known.', 'Wait, and look again.'],
  [
    { status: 429, headers: { 'retry-after': '30' } },
    '!',
    '429, retry after 30',
    'Too many requests: what a client would get is not known.',
    'Wait, and look again.',
  ],
  [{ status: 500 }, '✗', '500', NO_LOGIN, 'Look into the log of the server.'],
  [
    { status: 502 },
    '✗',
    '502',
    NO_LOGIN,
    'See that the MCP server runs, and that what stands before it reaches it: 502 comes from in between.',
  ],
  [
    { status: 503 },
    '✗',
    '503',
    NO_LOGIN,
    'See in the log what is not available: the application, or what stands before it.',
  ],
  [
    { status: 503, body: errorFor('too_many_sessions') },
    '✗',
    '503 (too_many_sessions)',
    NO_LOGIN,
    'See too_many_sessions in docs/errors.md.',
  ],
  [
    { status: 504 },
    '✗',
    '504',
    NO_LOGIN,
    'See why the MCP server does not answer what stands before it in time: 504 comes from in between.',
  ],
  [{ status: 511 }, '✗', '511', NO_LOGIN, 'Log in to the network first: 511 comes from it.'],
];

const readers: readonly Reader[] = ['code', 'file'];
const rows = replies.flatMap((row) => readers.map((reader) => [row[2], reader, row] as const));

test.each(rows)('without a token, %s is said to whoever has the %s', async (_seen, reader, row) => {
  const [reply, mark, seen, affects, forCode, forFile = forCode] = row;
  const server = await startFaultyServer({ before: replyingWhere(reply, () => true) });
  const [first, ...rest] = await server.walk(undefined, reader);
  const what = reply.status >= 400 ? seen.replace(String(reply.status), `${reply.status}, not 401`) : seen;
  expect(lineOf(first)).toBe(
    `${mark} answer without a token: ${what}. ${affects} ${reader === 'file' ? forFile : forCode}`,
  );
  expect(rest).toEqual([]);
});

test.each(rows)('with a good token, %s is said to whoever has the %s', async (_seen, reader, row) => {
  const [reply, mark, seen, affects, forCode, forFile = forCode] = row;
  const server = await startFaultyServer({
    before: replyingWhere(reply, (authorization) => authorization !== undefined),
  });
  const lines = (await server.walk(goodToken(server), reader)).map(lineOf);
  expect(lines.filter((line) => !line.startsWith('✓'))).toEqual([
    `${mark} answer with the token: ${seen}. ${affects === NO_LOGIN ? NO_ANSWER : affects} ${reader === 'file' ? forFile : forCode}`,
  ]);
  expect(lines.filter((line) => line.startsWith('✓ token: '))).toEqual([]);
});
