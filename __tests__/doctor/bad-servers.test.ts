import type { RequestListener } from 'node:http';
import { test } from 'vitest';
import type { Middleware } from '../../src/index.js';
import {
  answering,
  type Complaint,
  expectComplaints,
  type Fault,
  rewritingChallenge,
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

const servers: [what: string, fault: Fault, ...expected: Complaint[]][] = [
  ['nothing', {}],
  // The first request, without a token.
  [
    'no token is asked for',
    { policy: () => ({ mode: 'optional' }) },
    '! answer without a token: 200: anonymous callers get in',
  ],
  ...['GET', 'DELETE'].map((method): [string, Fault, ...Complaint[]] => [
    `a route for POST above mcpAuth(), and ${method} behind it`,
    {
      before: (req, res, next) =>
        req.url === '/mcp' && req.method !== method && req.method !== 'OPTIONS'
          ? reply(200, '{"jsonrpc":"2.0","id":1,"result":{}}')(req, res as never)
          : next(),
    },
    `✗ answer without a token: 200 to POST, although ${method} is answered 401`,
    '! CORS answers: does not expose www-authenticate, mcp-session-id, mcp-protocol-version',
  ]),
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
  [
    'a challenge under another name',
    { before: renamingChallenge },
    '✗ challenge: no WWW-Authenticate, but x-amzn-remapped-www-authenticate',
    '! other verbs: GET is answered 401 without resource_metadata',
  ],
  [
    'another scheme first',
    { before: rewritingChallenge((header) => `Negotiate, ${header}`) },
    '✗ challenge: the scheme Negotiate before Bearer',
  ],
  ['another scheme', { before: rewritingChallenge(() => 'Basic realm="x"') }, '✗ challenge: the scheme Basic'],
  [
    'no resource_metadata',
    { before: rewritingChallenge(() => 'Bearer scope="mcp:call"') },
    '✗ challenge: no resource_metadata',
  ],
  [
    'a relative resource_metadata',
    { before: rewritingChallenge((header) => header.replace(/http:\/\/[^/]+/, '')) },
    `✗ challenge: resource_metadata is "${WITH_PATH}", not an absolute URL`,
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
    'another scheme first for DELETE',
    { before: rewritingChallenge((header) => `Basic realm="x", ${header}`, 'DELETE') },
    '! other verbs: DELETE is answered 401 without resource_metadata',
  ],
  [
    'DELETE is let in',
    { before: (req, res, next) => (req.method === 'DELETE' ? reply(200)(req, res as never) : next()) },
    '✗ other verbs: DELETE is answered 200 without a token',
  ],
  [
    'a page for GET',
    {
      before: (req, res, next) =>
        req.method === 'GET' && req.url === '/mcp' ? reply(200, '<html>', HTML)(req, res as never) : next(),
    },
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
    'the resource of another server',
    { before: answering([WITH_PATH, ROOT], reply(200, '{"resource":"https://other.example/mcp"}')) },
    '✗ resource: …',
    '✗ authorization servers: none',
  ],
  [
    'bearer tokens in the body only',
    { policy: documentWith({ bearerMethodsSupported: ['body'] }) },
    '! bearer methods: bearer_methods_supported is ["body"]',
  ],
  ['metadata that needs a token', { before: answering([WITH_PATH], reply(401)) }, '✗ resource metadata: …'],
  ['a query in the address', { suffix: '?key=1' }, '! resource: …'],
  // The authorization server.
  [
    'one that is no URL',
    { policy: documentWith({ authorizationServers: ['issuer'] }) },
    '✗ server metadata: the authorization server is "issuer", which is not an http(s) URL',
  ],
  [
    'one that is no address on the web',
    { policy: documentWith({ authorizationServers: ['file:///issuer'] }) },
    '✗ server metadata: the authorization server is "file:///issuer", which is not an http(s) URL',
  ],
  [
    'one that is unreachable',
    { policy: documentWith({ authorizationServers: ['http://127.0.0.1:1'] }) },
    '✗ server metadata: …',
  ],
  ['no key', { keys: [] }, '✗ key set: …'],
  ['no key for signatures', { keys: [{ kty: 'oct', k: 'c2VjcmV0', kid: 'a' }] }, '✗ key set: …'],
  ['a key set that is not there', { metadata: (issuer) => ({ jwks_uri: `${issuer}/keys` }) }, '! key set: …'],
  ...['/jwks', 'not a url', 'file:///jwks'].map((uri): [string, Fault, ...Complaint[]] => [
    `a key set at ${uri}`,
    { metadata: () => ({ jwks_uri: uri }) },
    `✗ key set: jwks_uri is "${uri}", which is not an http(s) URL`,
  ]),
  [
    'a broken key set',
    { metadata: (issuer) => ({ jwks_uri: `${issuer}/.well-known/oauth-authorization-server` }) },
    '✗ key set: …',
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
  ['no token endpoint', without('token_endpoint'), '✗ endpoints: token_endpoint is missing'],
  ['no code flow', { metadata: () => ({ response_types_supported: ['token'] }) }, '✗ code flow: …'],
  [
    'no refresh tokens',
    { metadata: () => ({ grant_types_supported: ['authorization_code'] }) },
    '! code flow: no refresh tokens',
    '! known clients: offline_access is announced, but refresh_token is not among the grant types',
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
    '! client ids: neither a registration endpoint nor client ID metadata documents',
  ],
  // Scopes, browsers, slashes.
  [
    'no scopes',
    { policy: ({ resource }) => ({ requiredScopes: [], resourceMetadata: { resource } }) },
    '! scopes: none in the challenge, none advertised',
  ],
  [
    'an unknown scope',
    { metadata: () => ({ scopes_supported: ['openid', 'mcp:call'] }) },
    '! scopes: the authorization server does not list files:write',
  ],
  [
    'an open second address',
    { before: answering(['/mcp/'], reply(200, '{"jsonrpc":"2.0","id":1,"result":{}}')) },
    '✗ closing slash: …',
  ],
  ['a page at the slash', { before: answering(['/mcp/'], reply(200, '<html>', HTML)) }],
  [
    'a redirect at the slash',
    { before: answering(['/mcp/'], reply(308, '', { location: '/mcp' })) },
    '! closing slash: …',
  ],
];

/** As AWS API Gateway does. */
function renamingChallenge(...[_req, res, next]: Parameters<Middleware>): void {
  const { setHeader } = res;
  res.setHeader = (name, value) =>
    setHeader.call(res, name.toLowerCase() === 'www-authenticate' ? `x-amzn-remapped-${name}` : name, value);
  next();
}

test.each(servers)('a server with %s', async (_what, fault, ...expected) => {
  await expectComplaints(fault, expected);
});
