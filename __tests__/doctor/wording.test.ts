import { describe, expect, test } from 'vitest';
import type { Reader } from '../../src/doctor/finding.js';
import type { Middleware } from '../../src/index.js';
import {
  type Fault,
  goodToken,
  lineOf,
  type Reply,
  replyingWhere,
  startFaultyServer,
} from '../support/faulty-server.js';

const readers: readonly Reader[] = ['code', 'file'];
const JSON_TYPE = { 'content-type': 'application/json' };
const RESULT = '{"jsonrpc":"2.0","id":1,"result":{}}';

const OPEN = { policy: () => ({ mode: 'optional' }) };
const whyNoMcp = 'Clients never log in, so the server knows no user.';

test.each<[what: string, fault: Fault, reader: Reader, line: string]>([
  [
    'an open server',
    OPEN,
    'code',
    `! answer without a token: 200: anonymous callers get in. ${whyNoMcp} Use mode 'strict' unless you want anonymous callers; if you do use it, mount mcpAuth() before the MCP server.`,
  ],
  [
    'an open server of an open file',
    OPEN,
    'file',
    `! answer without a token: 200: anonymous callers get in. ${whyNoMcp} Set mcpAuthentication.mode to strict unless you want anonymous callers: it is optional.`,
  ],
  [
    'an open server of a strict file',
    { before: replyingWhere({ status: 200, body: RESULT }, () => true) },
    'file',
    '✗ answer without a token: 200 without a token, although the file says mode strict. Anonymous callers can use the server. Check that the running server has this file, and that no other route matches this path.',
  ],
])('%s', async (_what, fault, reader, line) => {
  const server = await startFaultyServer(fault);
  expect(lineOf((await server.walk(undefined, reader))[0])).toBe(line);
});

const GONE = 'A client with this token logs in again, or gives up.';
const challenged = (status: number, challenge?: string): Reply => ({
  status,
  ...(challenge !== undefined && { headers: { 'www-authenticate': challenge } }),
});
const NOT_ABOUT =
  '401 without an error about the token. A client with this token logs in again, and may get the same answer.';
const APPLICATION: Readonly<Record<Reader, string>> = {
  code: 'Find out what answers: the application behind mcpAuth(), or something before it. mcpAuth() sends error="invalid_token".',
  file: 'Find out what answers before the gateway, which sends error="invalid_token" when it refuses a token.',
};
const UNEXPLAINED: Readonly<Record<Reader, string>> = {
  code: 'The lines below find nothing wrong with it: compare the message with the policy and the log of the server.',
  file: 'This file accepts it: check that the running server has this file, and that the token is not revoked.',
};

test.each(
  readers.flatMap((reader) =>
    (
      [
        [challenged(401), `✗ answer with the token: ${NOT_ABOUT} ${APPLICATION[reader]}`],
        [challenged(401, 'Basic realm="app"'), `✗ answer with the token: ${NOT_ABOUT} ${APPLICATION[reader]}`],
        [
          challenged(401, 'Bearer resource_metadata="http://a"'),
          `✗ answer with the token: ${NOT_ABOUT} ${APPLICATION[reader]}`,
        ],
        [
          challenged(401, 'Bearer error="invalid_token", error_description="The token has been revoked"'),
          `✗ token: refused with 401: The token has been revoked. ${GONE} ${UNEXPLAINED[reader]}`,
        ],
        [
          challenged(401, 'Bearer error="invalid_token"'),
          `✗ token: refused with 401: invalid_token. ${GONE} ${UNEXPLAINED[reader]}`,
        ],
        [
          challenged(403, 'Bearer error="insufficient_scope"'),
          `✗ token: refused with 403: insufficient_scope. ${GONE} ${UNEXPLAINED[reader]}`,
        ],
        [
          challenged(400, 'Bearer error="invalid_request"'),
          `✗ token: refused with 400: invalid_request. ${GONE} ${UNEXPLAINED[reader]}`,
        ],
      ] as const
    ).map(([reply, line]) => [reply.headers?.['www-authenticate'], reader, reply, line] as const),
  ),
)('after a good token: %s, for the %s', async (_challenge, reader, reply, line) => {
  const server = await startFaultyServer({
    before: replyingWhere(reply, (authorization) => authorization !== undefined),
  });
  const lines = (await server.walk(goodToken(server), reader)).map(lineOf);
  expect(lines.filter((each) => !each.startsWith('✓'))).toEqual([line]);
});

test.each([
  ['a message', { status: 200, body: RESULT, headers: JSON_TYPE }],
  ['a stream', { status: 200, body: 'data: {}\n\n', headers: { 'content-type': 'text/event-stream' } }],
])('%s is what accepts a token', async (_what, reply) => {
  const server = await startFaultyServer({
    before: replyingWhere(reply, (authorization) => authorization !== undefined),
  });
  expect((await server.walk(goodToken(server))).map(lineOf)).toContain('✓ token: accepted (200)');
});

describe('200 with a JSON-RPC error does not let anybody in', () => {
  const error = { code: -32001, message: 'invalid token' };
  const reply: Reply = { status: 200, body: JSON.stringify({ jsonrpc: '2.0', id: 1, error }), headers: JSON_TYPE };
  const seen = '200 with the JSON-RPC error -32001 "invalid token"';
  /** The policy of the file asks for a token. */
  const MARKS: Readonly<Record<Reader, string>> = { code: '!', file: '✗' };

  test.each<[what: string, where: Parameters<typeof replyingWhere>[1], reader: Reader, line: string]>([
    [
      'for a token',
      (token) => token !== undefined,
      'code',
      `! token: ${seen}. The doctor cannot tell whether the server accepts the token. If it is about the token, answer 401 with WWW-Authenticate, as mcpAuth() does. Otherwise check the log of the MCP server.`,
    ],
    [
      'without a token',
      () => true,
      'code',
      `! answer without a token: ${seen}. Clients report an error instead of logging in.`,
    ],
    [
      'without a token, although the file asks for one',
      () => true,
      'file',
      `✗ answer without a token: ${seen}. Clients report an error instead of logging in. If it is about the token, find out what answers instead of the gateway, which answers 401. Otherwise check the log of the MCP server.`,
    ],
    ...['GET', 'DELETE'].flatMap((verb) =>
      readers.map((reader): [string, Parameters<typeof replyingWhere>[1], Reader, string] => [
        `for ${verb}, for the ${reader}`,
        (_token, _origin, method, url) => method === verb && url === '/mcp',
        reader,
        `${MARKS[reader]} other verbs: ${verb} is answered ${seen}. The doctor cannot tell whether it asks for a token.`,
      ]),
    ),
  ])('%s', async (_what, where, reader, line) => {
    const server = await startFaultyServer({ before: replyingWhere(reply, where) });
    const lines = (await server.walk(goodToken(server), reader)).map(lineOf);
    expect(lines).toContainEqual(expect.stringContaining(line));
    expect(lines.filter((each) => each.startsWith('✓ token: '))).toHaveLength(line.includes('verbs') ? 1 : 0);
  });

  test.each(readers)('at the address with a closing slash, for the %s', async (reader) => {
    const before = replyingWhere(reply, (_token, _origin, _method, url) => url === '/mcp/');
    const server = await startFaultyServer({ before });
    const line = (await server.walk(undefined, reader)).map(lineOf).at(-1);
    expect(line).toContain(`${MARKS[reader]} closing slash: ${server.url}/ is answered ${seen}. `);
  });

  test('a token in the error is not printed', async () => {
    const before: Middleware = ({ headers: { authorization } }, res, next) => {
      if (authorization === undefined) return next();
      res
        .writeHead(200, JSON_TYPE)
        .end(JSON.stringify({ jsonrpc: '2.0', id: 1, error: { code: 1, message: authorization } }));
    };
    const server = await startFaultyServer({ before });
    const token = goodToken(server);
    const text = JSON.stringify(await server.walk(token));
    for (const part of token.split('.')) expect(text).not.toContain(part);
  });
});

test('a token that the server repeats is not printed', async () => {
  const before: Middleware = (req, res, next) => {
    const { authorization } = req.headers;
    if (authorization === undefined) return next();
    const challenge = `Bearer error="invalid_token", error_description="${authorization}"`;
    res.writeHead(401, { 'www-authenticate': challenge }).end();
  };
  const server = await startFaultyServer({ before });
  const token = goodToken(server);
  const findings = await server.walk(token);
  expect(JSON.stringify(findings)).not.toContain(token);
  expect(findings.map(lineOf).join('\n')).toContain('✗ token: refused with 401: Bearer <the token>');
});

const CORS_LINES: Readonly<Record<Reader, readonly [preflight: string, answers: string]>> = {
  code: [
    'Mount mcpCors() before mcpAuth() and before any other handler of OPTIONS. For a server of the command, set policies.cors in its file.',
    'Mount mcpCors() before mcpAuth() and before any other handler of OPTIONS. For a server of the command, set policies.cors in its file.',
  ],
  file: ['Set policies.cors on the route.', 'Set policies.cors on the route.'],
};

test.each(readers)('without CORS, advises what to change in the %s', async (reader) => {
  const server = await startFaultyServer({ cors: (_req, _res, next) => next() });
  const fixes = (await server.walk(undefined, reader))
    .filter(({ step }) => step.startsWith('CORS'))
    .map(({ fix }) => fix);
  expect(fixes.slice(0, 2)).toEqual(CORS_LINES[reader]);
});

test('no advice for a file names a function that only a program can call', async () => {
  const faults: Fault[] = [
    OPEN,
    { cors: (_req, _res, next) => next() },
    { before: replyingWhere({ status: 401 }, () => true) },
    { before: replyingWhere({ status: 404 }, () => true) },
    { before: replyingWhere({ status: 403 }, (_authorization, origin) => origin !== undefined) },
    { before: replyingWhere({ status: 200, body: RESULT }, (_authorization, _origin, method) => method === 'DELETE') },
    {
      before: replyingWhere({ status: 200, body: RESULT }, (_authorization, _origin, _method, url) => url === '/mcp/'),
    },
    {
      before: replyingWhere(
        { status: 404 },
        (_authorization, _origin, _method, url) => url?.startsWith('/.well-known/') === true,
      ),
    },
  ];
  for (const fault of faults) {
    const bad = (await (await startFaultyServer(fault)).walk(undefined, 'file')).filter(
      ({ status }) => status !== 'ok',
    );
    expect(bad).not.toEqual([]);
    for (const { fix } of bad) expect(fix).not.toMatch(/mcp[A-Z]\w+\(|protectedResourceMetadata|app\.\w+\(/);
  }
});
