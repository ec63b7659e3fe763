import connect from 'connect';
import onHeaders from 'on-headers';
import { describe, expect, test } from 'vitest';
import { type Middleware, mcpAuth, mcpScopes } from '../../src/index.js';
import { createTestIssuer } from '../../src/testing/index.js';
import { serveHttp2 } from '../support/http2-server.js';
import { serve } from '../support/loopback-server.js';

const issuer = createTestIssuer();
const json = '{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"echo"},{"name":"delete"}]}}';
const shown = '{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"echo"}]}}';
const JSON_TYPE = { 'content-type': 'application/json' };
const EVENTS = { 'content-type': 'text/event-stream' };

/** A server behind `later`, which hides the tool `delete`. */
function protectedBy(later: Middleware, server: Middleware): Middleware[] {
  return [
    mcpAuth(issuer.policy({ resource: 'https://mcp.example/mcp' })),
    mcpScopes({ 'tools/call': { delete: ['write'] } }, { hide: true }),
    later,
    server,
  ];
}

async function listTools(later: Middleware, server: Middleware) {
  const app = connect();
  for (const each of protectedBy(later, server)) app.use(each as never);
  const headers = { authorization: `Bearer ${issuer.token()}`, ...JSON_TYPE };
  const body = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}';
  const response = await fetch(await serve(app), { method: 'POST', headers, body });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

const writers: [how: string, write: Middleware, status: number, text: string][] = [
  ['end()', (_req, res) => void res.end(json), 200, shown],
  ['writeHead() and end()', (_req, res) => void res.writeHead(201, JSON_TYPE).end(json), 201, shown],
  [
    'write() and end()',
    (_req, res) => {
      res.write(json.slice(0, 9));
      res.end(json.slice(9));
    },
    200,
    shown,
  ],
  [
    'flushHeaders() and end()',
    (_req, res) => {
      res.setHeader('content-type', 'application/json').flushHeaders();
      res.end(json);
    },
    200,
    shown,
  ],
  ['end() without a list', (_req, res) => void res.end('{"ok":1}'), 200, '{"ok":1}'],
  [
    'end() of events',
    (_req, res) => void res.writeHead(200, EVENTS).end(`data: ${json}\n\n`),
    200,
    `data: ${shown}\n\n`,
  ],
  ['end() of nothing', (_req, res) => void res.writeHead(204).end(), 204, ''],
  [
    'end() of what cannot be read',
    (_req, res) => void res.end(json + json),
    502,
    expect.stringContaining('unreadable'),
  ],
  [
    'end() of an encoded answer',
    (_req, res) => void res.setHeader('content-encoding', 'gzip').end(json),
    502,
    expect.stringContaining('unreadable'),
  ],
];

describe('a middleware behind the one that hides', () => {
  test.each(writers)('adds its headers once, if the answer is written by %s', async (_how, server, status, text) => {
    const later: Middleware = (_req, res, next) => {
      onHeaders(res, () => void res.appendHeader('x-later', 'yes'));
      next();
    };
    const seen = await listTools(later, server);
    expect([seen.status, seen.text, seen.headers.get('x-later')]).toEqual([status, text, 'yes']);
    expect(seen.headers.get('content-encoding')).toBeNull();
  });

  test('adds its headers to an answer over HTTP/2', async () => {
    const later: Middleware = (_req, res, next) => {
      onHeaders(res, () => void res.setHeader('x-later', 'yes'));
      next();
    };
    const server = await serveHttp2(...protectedBy(later, (_req, res) => void res.end(json)));
    const { headers, body } = await server.send(
      { ':method': 'POST', authorization: `Bearer ${issuer.token()}`, ...JSON_TYPE },
      '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
    );
    expect([headers['x-later'], body]).toEqual(['yes', shown]);
  });

  test('cannot declare another encoding than that in which the answer was read', async () => {
    const later: Middleware = (_req, res, next) => {
      onHeaders(res, () => void res.setHeader('content-encoding', 'x'));
      next();
    };
    const seen = await listTools(later, (_req, res) => void res.end(json));
    expect([seen.status, seen.headers.get('content-encoding')]).toEqual([502, null]);
  });
});

test.each<[form: string, headers: unknown[]]>([
  ['names and values in turn', ['content-type', 'application/json', 'set-cookie', 'a=1', 'Set-Cookie', 'b=2']],
  [
    'pairs',
    [
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
    ],
  ],
])('a list answer keeps two cookies that the server gives as %s', async (_form, headers) => {
  const pass: Middleware = (_req, _res, next) => next();
  const seen = await listTools(pass, (_req, res) => void res.writeHead(200, headers as never).end(json));
  expect([seen.headers.getSetCookie(), seen.text]).toEqual([['a=1', 'b=2'], shown]);
});

test('an answer with two types in one head is not passed on', async () => {
  const pass: Middleware = (_req, _res, next) => next();
  const types = ['content-type', 'text/event-stream', 'content-type', 'application/json'];
  expect((await listTools(pass, (_req, res) => void res.writeHead(200, types).end(json))).status).toBe(502);
});
