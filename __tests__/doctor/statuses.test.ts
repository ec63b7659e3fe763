import { expect, test } from 'vitest';
import type { Reader } from '../../src/doctor/finding.js';
import {
  type Fault,
  goodToken,
  lineOf,
  type Reply,
  replyingWhere,
  startFaultyServer,
} from '../support/faulty-server.js';

const HTML = { 'content-type': 'text/html' };
const JSON_TYPE = { 'content-type': 'application/json' };
const errorFor = (reason: string) =>
  JSON.stringify({ jsonrpc: '2.0', id: 1, error: { code: -32000, message: 'x', data: { reason } } });

const PAGE = 'Check the address, and whether something in between answers instead of the server, such as a login page.';
const ELSEWHERE = 'Give clients the address that it redirects to; if that is a login page, exclude this path from it.';
const UNREADABLE = 'Clients get no answer that they can read.';
const NO_LOGIN = 'Clients report an error instead of logging in.';

const NO_ANSWER = 'Clients get this instead of an answer; it says nothing about the token.';

/** `seen` is the text with a token. Without one, a status of 400 or more is "…, not 401". */
type Row = readonly [reply: Reply, mark: string, seen: string, affects: string, forCode: string, forFile?: string];

const replies: readonly Row[] = [
  [{ status: 200, body: '<html>', headers: HTML }, '✗', '200 with text/html, not an MCP answer', UNREADABLE, PAGE],
  [
    { status: 200, body: '{}', headers: JSON_TYPE },
    '✗',
    '200 with application/json, not an MCP answer',
    UNREADABLE,
    PAGE,
  ],
  [{ status: 200 }, '✗', '200 without a content type, not an MCP answer', UNREADABLE, PAGE],
  [{ status: 202 }, '✗', '202 without a content type, not an MCP answer', UNREADABLE, PAGE],
  [{ status: 204 }, '✗', '204 without a content type, not an MCP answer', UNREADABLE, PAGE],
  ...[301, 302, 303, 307, 308].map((status): Row => {
    const seen = `${status} to https://sso.example/login`;
    const reply = { status, headers: { location: 'https://sso.example/login' } };
    return [reply, '✗', seen, 'Clients do not send their token there.', ELSEWHERE];
  }),
  [
    { status: 400 },
    '✗',
    '400',
    NO_LOGIN,
    'Check the log of the server that answered; the request was initialize, in JSON.',
  ],
  [
    { status: 403 },
    '✗',
    '403',
    NO_LOGIN,
    'Find out what refuses: a firewall, a check of Host or Origin, or the application. Clients log in only after a 401.',
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
    'Check the path, and mount mcpAuth() before the handler that answered.',
    'Check the path: a route of the running file must match it, and resourceMetadata.resource must contain it.',
  ],
  [
    { status: 405 },
    '✗',
    '405',
    NO_LOGIN,
    'Accept POST: mount the path with app.use() or app.all(), not with app.get().',
    'Find out what answers before the gateway, which accepts POST on every route.',
  ],
  [
    { status: 406 },
    '✗',
    '406',
    NO_LOGIN,
    'Find out what answered: like every client, the doctor accepts application/json and text/event-stream.',
  ],
  [{ status: 407 }, '✗', '407', NO_LOGIN, 'Find out which proxy in between asks for its own login.'],
  [
    { status: 415 },
    '✗',
    '415',
    NO_LOGIN,
    'Find out what answered: like every client, the doctor sends application/json.',
  ],
  [{ status: 418 }, '✗', '418', NO_LOGIN, 'Find out what answered, and why.'],
  [
    { status: 421 },
    '✗',
    '421',
    NO_LOGIN,
    'Check the host name and the proxy: the server that answered does not serve this host on this connection.',
  ],
  [
    { status: 429 },
    '!',
    '429',
    'Too many requests: the doctor cannot tell what a client would get.',
    'Wait, then run the doctor again.',
  ],
  [
    { status: 429, headers: { 'retry-after': '30' } },
    '!',
    '429, retry after 30',
    'Too many requests: the doctor cannot tell what a client would get.',
    'Wait, then run the doctor again.',
  ],
  [{ status: 500 }, '✗', '500', NO_LOGIN, 'Check the log of the server.'],
  [
    { status: 502 },
    '✗',
    '502',
    NO_LOGIN,
    'Check that the MCP server runs, and that the proxy in front of it reaches it: a proxy answers 502.',
  ],
  [
    { status: 503 },
    '✗',
    '503',
    NO_LOGIN,
    'Check the log for what is not available: the application, or a proxy in front of it.',
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
    'Find out why the MCP server does not answer the proxy in front of it in time: a proxy answers 504.',
  ],
  [{ status: 511 }, '✗', '511', NO_LOGIN, 'Log in to the network first: the network answers 511.'],
];

const readers: readonly Reader[] = ['code', 'file'];
const rows = replies.flatMap((row) => readers.map((reader) => [row[2], reader, row] as const));

test.each(rows)('without a token: %s, with advice for a reader with the %s', async (_seen, reader, row) => {
  const [reply, mark, seen, affects, forCode, forFile = forCode] = row;
  const server = await startFaultyServer({ before: replyingWhere(reply, () => true) });
  const [first, ...rest] = await server.walk(undefined, reader);
  const what = reply.status >= 400 ? seen.replace(String(reply.status), `${reply.status}, not 401`) : seen;
  expect(lineOf(first)).toBe(
    `${mark} answer without a token: ${what}. ${affects} ${reader === 'file' ? forFile : forCode}`,
  );
  expect(rest).toEqual([]);
});

test.each(rows)('with a good token: %s, with advice for a reader with the %s', async (_seen, reader, row) => {
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

/** The keys are at /jwks, as the metadata says. */
const KEYS_ELSEWHERE: Fault = { policy: ({ issuer }) => ({ jwks: { url: `${issuer}/.well-known/jwks.json` } }) };

test.each(readers)(
  'with keys elsewhere than the policy expects, names the URL to a reader with the %s',
  async (reader) => {
    const server = await startFaultyServer(KEYS_ELSEWHERE);
    const lines = (await server.walk(goodToken(server), reader)).map(lineOf);
    const url = `${server.issuer}/jwks`;
    const advice = `The metadata of the issuer names ${url}: set jwks: { url: "${url}" }.`;
    const answer = `✗ answer with the token: 503 (key_set_unavailable). The server cannot read the keys that verify tokens, so it accepts none. ${advice} If it is set, check that the server can read it: its log says what failed.`;
    expect(lines).toContain(answer);
    const derived = `${server.issuer}/.well-known/jwks.json`;
    const keySet = `! key set: ${derived} answers 404. Tokens cannot be verified with keys from there. ${advice}`;
    expect(lines.includes(keySet)).toBe(reader === 'file');
  },
);
