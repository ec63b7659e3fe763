import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { type Middleware, mcpCors } from '../../src/index.js';
import {
  answering,
  type Fault,
  goodMetadata,
  rewritingChallenge,
  startFaultyServer,
} from '../support/faulty-server.js';

const reply =
  (status: number, body = '', headers: Record<string, string> = {}): RequestListener =>
  (_req, res) =>
    void res.writeHead(status, { 'access-control-allow-origin': '*', ...headers }).end(body);

const HTML = { 'content-type': 'text/html' };
const WITH_PATH = '/.well-known/oauth-protected-resource/mcp';
const ROOT = '/.well-known/oauth-protected-resource';

/** Rewrites the document at the well-known paths. */
const documentWith =
  (members: object): NonNullable<Fault['policy']> =>
  ({ resource }) => ({
    resourceMetadata: { resource, scopesSupported: ['mcp:call'], ...members },
  });

const without = (name: string): Fault => ({ metadata: () => ({ [name]: undefined }) });

type Expected = readonly `${'!' | '✗'} ${string}`[];

const servers: [what: string, fault: Fault, ...expected: Expected][] = [
  ['nothing', {}],
  // What a stranger's first request brings.
  [
    'no token is asked for',
    { policy: () => ({ mode: 'optional' }) },
    '! answer without a token: 200: strangers are let in',
  ],
  [
    'another path',
    { suffix: '/other', before: answering(['/mcp/other'], reply(404)) },
    '✗ answer without a token: 404, not 401',
  ],
  ['a failure', { before: answering([], reply(502)) }, '✗ answer without a token: 502, not 401'],
  [
    'a redirect',
    { before: answering(['/mcp'], reply(307, '', { location: '/new' })) },
    '✗ answer without a token: 307 to /new',
  ],
  ['no challenge', { before: rewritingChallenge(() => undefined) }, '✗ challenge: no WWW-Authenticate'],
  ['another scheme', { before: rewritingChallenge(() => 'Basic realm="x"') }, '✗ challenge: the scheme Basic'],
  [
    'no resource_metadata',
    { before: rewritingChallenge(() => 'Bearer scope="mcp:call"') },
    '✗ challenge: no resource_metadata',
  ],
  [
    'a relative resource_metadata',
    { before: rewritingChallenge((header) => header.replace(/http:\/\/[^/]+/, '')) },
    `✗ challenge: resource_metadata is "${WITH_PATH}", no absolute URL`,
  ],
  [
    'an error although there was no token',
    { before: rewritingChallenge((header) => `${header}, error="invalid_token"`) },
    '! challenge: error="invalid_token" although no token was sent (RFC 6750, section 3.1)',
  ],
  [
    'GET is not challenged',
    { before: rewritingChallenge(() => 'Bearer', 'GET') },
    '! other verbs: GET is answered 401 without resource_metadata',
  ],
  [
    'DELETE is let in',
    { before: (req, res, next) => (req.method === 'DELETE' ? reply(200)(req, res as never) : next()) },
    '✗ other verbs: DELETE is answered 200 without a token',
  ],
  // The protected resource metadata.
  ['metadata that is HTML', { before: answering([WITH_PATH], reply(200, '<html>', HTML)) }, '✗ resource metadata: …'],
  [
    'metadata that redirects',
    { before: answering([WITH_PATH], reply(301, '', { location: '/' })) },
    '✗ resource metadata: …',
  ],
  ['no metadata at the root', { before: answering([ROOT], reply(404)) }, '! well-known at the root: …'],
  [
    'metadata at the root alone',
    {
      before: (req, res, next) =>
        req.url === WITH_PATH
          ? reply(404)(req, res as never)
          : rewritingChallenge((header) => header.replace(WITH_PATH, ROOT))(req, res, next),
    },
    '! well-known with path: …',
  ],
  [
    'a slash more in the resource',
    { policy: ({ resource }) => ({ resourceMetadata: { resource: `${resource}/`, scopesSupported: ['mcp:call'] } }) },
    '! resource: …',
  ],
  [
    'the resource of another',
    { before: answering([WITH_PATH, ROOT], reply(200, '{"resource":"https://other.example/mcp"}')) },
    '✗ resource: …',
    '✗ authorization servers: none',
  ],
  [
    'bearer tokens in the body only',
    { policy: documentWith({ bearerMethodsSupported: ['body'] }) },
    '! bearer methods: bearer_methods_supported is ["body"]',
  ],
  // The authorization server.
  [
    'one that is no URL',
    { policy: documentWith({ authorizationServers: ['issuer'] }) },
    '✗ server metadata: the authorization server is "issuer", no URL',
  ],
  [
    'one that is not there',
    { policy: documentWith({ authorizationServers: ['http://127.0.0.1:1'] }) },
    '✗ server metadata: …',
  ],
  ['no metadata', { authorizationServer: reply(404) }, '✗ server metadata: …'],
  ['a page for every path', { authorizationServer: reply(200, '<html>', HTML) }, '✗ server metadata: …'],
  ['one that fails', { authorizationServer: reply(500) }, '✗ server metadata: …'],
  ['an issuer with a slash more', { metadata: (issuer) => ({ issuer: `${issuer}/` }) }, '✗ issuer: …'],
  [
    'an endpoint without TLS',
    { metadata: () => ({ token_endpoint: 'http://issuer.example/token' }) },
    '✗ endpoints: token_endpoint is "http://issuer.example/token"',
  ],
  [
    'an endpoint that is a script',
    { metadata: () => ({ authorization_endpoint: 'javascript:alert(1)' }) },
    '✗ endpoints: authorization_endpoint is "javascript:alert(1)"',
  ],
  ['no token endpoint', without('token_endpoint'), '✗ endpoints: token_endpoint is undefined'],
  ['no code flow', { metadata: () => ({ response_types_supported: ['token'] }) }, '✗ code flow: …'],
  [
    'no refresh tokens',
    { metadata: () => ({ grant_types_supported: ['authorization_code'] }) },
    '! code flow: no refresh tokens',
  ],
  ['no PKCE', without('code_challenge_methods_supported'), '✗ PKCE: code_challenge_methods_supported is missing'],
  [
    'plain PKCE',
    { metadata: () => ({ code_challenge_methods_supported: ['plain'] }) },
    '✗ PKCE: code_challenge_methods_supported is ["plain"]',
  ],
  [
    'no iss',
    without('authorization_response_iss_parameter_supported'),
    '! iss: authorization_response_iss_parameter_supported is not true',
  ],
  [
    'no registration',
    without('registration_endpoint'),
    '! registration: neither a registration endpoint nor client ID metadata documents',
  ],
  // Scopes, browsers, slashes.
  [
    'no scopes',
    { policy: ({ resource }) => ({ requiredScopes: [], resourceMetadata: { resource } }) },
    '! scopes: none in the challenge, none advertised',
  ],
  [
    'a scope that nobody knows',
    { metadata: () => ({ scopes_supported: ['openid', 'mcp:call'] }) },
    '! scopes: the authorization server does not list files:write',
  ],
  [
    'no CORS',
    { cors: (_req, _res, next) => next() },
    '! CORS preflight: answered 401',
    '! CORS answers: the 401 cannot be read',
  ],
  [
    'CORS for another origin',
    { cors: mcpCors({ origins: ['https://app.example'] }) },
    '! CORS preflight: other origins are not allowed',
    '! CORS answers: the 401 cannot be read',
  ],
  ['CORS without DELETE', { cors: mcpCors({ methods: ['GET', 'POST'] }) }, '! CORS preflight: does not allow DELETE'],
  [
    'CORS that hides the challenge',
    { cors: mcpCors({ exposeHeaders: ['Mcp-Session-Id', 'MCP-Protocol-Version'] }) },
    '! CORS answers: does not expose www-authenticate',
  ],
  ['CORS with a star for every name', { cors: allowing('*, Authorization') }],
  [
    'CORS with a star, which is not for Authorization',
    { cors: allowing('*') },
    '! CORS preflight: does not allow authorization',
  ],
  ['metadata that pages cannot read', { authorizationServer: closedToPages }, '! CORS metadata: …'],
  ['a back door', { before: answering(['/mcp/'], reply(200, '{}')) }, '✗ closing slash: …'],
  [
    'a redirect at the slash',
    { before: answering(['/mcp/'], reply(308, '', { location: '/mcp' })) },
    '! closing slash: …',
  ],
];

function allowing(headers: string): Middleware {
  return (req, res, next) => {
    res.setHeader('access-control-allow-origin', '*').setHeader('access-control-expose-headers', '*');
    res.setHeader('access-control-allow-headers', headers).setHeader('access-control-allow-methods', '*');
    if (req.method === 'OPTIONS') res.writeHead(204).end();
    else next();
  };
}

function closedToPages(req: IncomingMessage, res: ServerResponse): void {
  res.removeHeader('access-control-allow-origin');
  const isMetadata = req.url === '/.well-known/oauth-authorization-server';
  if (isMetadata) res.end(JSON.stringify(goodMetadata(`http://${req.headers.host}`)));
  else res.writeHead(404).end();
}

test.each(servers)('a server with %s', async (_what, fault, ...expected) => {
  const { walk } = await startFaultyServer(fault);
  const bad = (await walk()).filter(({ status }) => status !== 'ok');
  const lines = bad.map(({ step, status, seen }) => `${status === 'fault' ? '✗' : '!'} ${step}: ${seen}`);
  expect(
    lines.map((line, i) => (expected[i]?.endsWith('…') ? `${line.slice(0, line.indexOf(': '))}: …` : line)),
  ).toEqual(expected);
  for (const { affects, fix } of bad) {
    for (const sentence of [affects, fix]) expect(sentence).toMatch(/^[A-Z].*\.$/s);
  }
});
