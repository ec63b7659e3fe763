import type { IncomingMessage, ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { type Middleware, mcpCors } from '../../src/index.js';
import {
  type Complaint,
  expectComplaints,
  type Fault,
  goodMetadata,
  replyingWhere,
  startFaultyServer,
} from '../support/faulty-server.js';

const servers: [what: string, fault: Fault, ...expected: Complaint[]][] = [
  [
    'no CORS',
    { cors: (_req, _res, next) => next() },
    '! CORS preflight: answered 401',
    '! CORS answers: the 401 cannot be read',
  ],
  [
    'CORS for another origin',
    { cors: mcpCors({ allowedOrigins: ['https://app.example'] }) },
    '! CORS preflight: other origins are not allowed',
    '! CORS answers: the 401 cannot be read',
  ],
  [
    'a cors() for another origin before ours',
    { before: allowingOnly('https://app.example') },
    '! CORS preflight: other origins are not allowed, only https://app.example',
  ],
  [
    'a check of Origin',
    {
      before: replyingWhere({ status: 403 }, (_token, origin, method) => origin !== undefined && method === 'POST'),
    },
    '! CORS answers: 403 for another origin, not 401',
  ],
  [
    'a check of Origin that refuses preflights too',
    {
      before: replyingWhere({ status: 403 }, (_token, origin, _method, url) => origin !== undefined && url === '/mcp'),
    },
    '! CORS preflight: answered 403',
    '! CORS answers: 403 for another origin, not 401',
  ],
  ['CORS without DELETE', { cors: mcpCors({ methods: ['GET', 'POST'] }) }, '! CORS preflight: does not allow DELETE'],
  [
    'CORS that hides the challenge',
    { cors: mcpCors({ exposedHeaders: ['Mcp-Session-Id', 'MCP-Protocol-Version'] }) },
    '! CORS answers: does not expose www-authenticate',
  ],
  ['CORS with a star for every name', { cors: allowing('*, Authorization') }],
  [
    'CORS with a star, which is not for Authorization',
    { cors: allowing('*') },
    '! CORS preflight: does not allow authorization',
  ],
  ['metadata that pages cannot read', { authorizationServer: closedToPages }, '! CORS metadata: …'],
];

function allowing(headers: string): Middleware {
  return (req, res, next) => {
    res.setHeader('access-control-allow-origin', '*').setHeader('access-control-expose-headers', '*');
    res.setHeader('access-control-allow-headers', headers).setHeader('access-control-allow-methods', '*');
    if (req.method === 'OPTIONS') res.writeHead(204).end();
    else next();
  };
}

/** Answers preflights for one origin, as the application's own cors() may. */
function allowingOnly(origin: string): Middleware {
  return (req, res, next) => {
    if (req.method !== 'OPTIONS') return next();
    res.setHeader('access-control-allow-origin', origin).writeHead(204).end();
  };
}

function closedToPages(req: IncomingMessage, res: ServerResponse): void {
  res.removeHeader('access-control-allow-origin');
  const isMetadata = req.url === '/.well-known/oauth-authorization-server';
  if (isMetadata) res.end(JSON.stringify(goodMetadata(`http://${req.headers.host}`)));
  else res.writeHead(404).end();
}

test.each(servers)('reports to clients in a browser: %s', async (_what, fault, ...expected) => {
  await expectComplaints(fault, expected);
});

test('says nothing about metadata for pages where there is none', async () => {
  const { walk } = await startFaultyServer({
    before: replyingWhere({ status: 404 }, (...[, , , url]) => url?.startsWith('/.well-known/') === true),
  });
  expect((await walk()).map(({ step }) => step)).not.toContain('CORS metadata');
});
