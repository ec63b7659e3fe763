import type { RequestListener } from 'node:http';
import connect from 'connect';
import express from 'express';
import express4 from 'express4';
import request from 'supertest';
import { describe, expect, test } from 'vitest';
import {
  type McpAuthOptions,
  type McpCorsOptions,
  type Middleware,
  mcpAuth,
  mcpCors,
  protectedResourceMetadata,
} from '../../src/index.js';
import { createTestIssuer } from '../../src/testing/index.js';
import { unreachableUrl } from '../support/loopback-server.js';
import { createRecordingLogger } from '../support/recording-logger.js';

const PAGE = 'https://app.example.com';
const issuer = createTestIssuer();
const policy: McpAuthOptions = issuer.policy({ resource: 'https://mcp.example/mcp' });

const frameworks: [name: string, create: () => { use(middleware: Middleware): unknown }][] = [
  ['Express 5', () => express() as never],
  ['Express 4', () => express4() as never],
  ['Connect', () => connect()],
];

function createApp(options?: McpCorsOptions, create = frameworks[0]?.[1] as () => never) {
  const app = create() as { use(middleware: Middleware): unknown };
  for (const middleware of [mcpCors(options), mcpAuth(policy), protectedResourceMetadata(policy)]) app.use(middleware);
  app.use((req, res, next) => {
    if (req.url === '/broken') next(new Error('broken'));
    else res.end('through');
  });
  return app as unknown as RequestListener;
}

const preflight = (app: RequestListener, path = '/mcp', origin = PAGE, asked = 'authorization') =>
  request(app)
    .options(path)
    .set({ origin, 'access-control-request-method': 'POST', 'access-control-request-headers': asked });

describe.each(frameworks)('on %s', (_name, create) => {
  const app = createApp(undefined, create as never);

  test('a preflight is answered without a token', async () => {
    const { status, headers, text } = await preflight(app);
    expect(status).toBe(204);
    expect(text).toBe('');
    expect(corsHeaders(headers)).toEqual({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'GET,HEAD,POST,DELETE',
      'access-control-allow-headers':
        'Authorization,Content-Type,Accept,Mcp-Session-Id,MCP-Protocol-Version,Last-Event-ID,Mcp-Method,Mcp-Name,DPoP',
      'access-control-expose-headers': 'WWW-Authenticate,Mcp-Session-Id,MCP-Protocol-Version',
      'access-control-max-age': '600',
    });
  });

  test.each([
    ['a refusal', '/mcp', undefined, 401],
    ['a bad token', '/mcp', issuer.expiredToken(), 401],
    ['a failure', '/broken', issuer.token(), 500],
    ['an answer', '/mcp', issuer.token(), 200],
    ['the metadata', '/.well-known/oauth-protected-resource/mcp', undefined, 200],
  ])('%s can be read by a page', async (_what, path, token, status) => {
    const call = request(app).get(path).set('origin', PAGE);
    const response = await (token === undefined ? call : call.auth(token, { type: 'bearer' }));
    expect(response.status).toBe(status);
    expect(corsHeaders(response.headers)).toEqual({
      'access-control-allow-origin': '*',
      'access-control-expose-headers': 'WWW-Authenticate,Mcp-Session-Id,MCP-Protocol-Version',
    });
  });
});

test('with an unreachable key server, a page can read the 503', async () => {
  const away = { ...policy, jwks: { url: await unreachableUrl() } } as McpAuthOptions;
  const app = express().use(mcpCors(), mcpAuth(away));
  const response = await request(app).get('/mcp').auth(issuer.token(), { type: 'bearer' });
  expect(response.status).toBe(503);
  expect(response.headers['access-control-allow-origin']).toBe('*');
});

const origins: [given: string, origin: string, allowed: boolean][] = [
  ['https://app.example.com', 'https://app.example.com', true],
  ['https://app.example.com', 'https://app.example.com:444', false],
  ['https://app.example.com', 'http://app.example.com', false],
  ['https://app.example.com', 'https://app.example.com.evil.example', false],
  ['https://app.example.com', 'https://appXexample.com', false],
  ['https://app.example.com', 'null', false],
  ['https://*.example.com', 'https://app.example.com', true],
  ['https://*.example.com', 'https://a.b.example.com', true],
  ['https://*.example.com', 'https://example.com', false],
  ['https://*.example.com', 'https://evilexample.com', false],
  ['https://*.example.com', 'https://app.example.com.evil.example', false],
  ['https://*.example.com', 'https://evil.example/.example.com', false],
  ['https://*.example.com', 'https://evil.example:1@a.example.com', false],
  ['https://*.example.com', 'https://app.example.com:8443', false],
  ['https://*.example.com:8443', 'https://app.example.com:8443', true],
  ['http://localhost:*', 'http://localhost', true],
  ['http://localhost:*', 'http://localhost:5173', true],
  ['http://localhost:*', 'http://localhost:5173.evil.example', false],
  ['http://localhost:*', 'http://localhost.evil.example:80', false],
  ['http://[::1]:*', 'http://[::1]:6274', true],
  ['vscode-webview://abc', 'vscode-webview://abc', true],
];

test.each(origins)('with %j allowed, a page of %j may read: %j', async (given, origin, allowed) => {
  const app = createApp({ allowedOrigins: ['https://other.example', given], credentials: true });
  for (const response of [await preflight(app, '/mcp', origin), await request(app).get('/mcp').set('origin', origin)]) {
    expect(response.headers['access-control-allow-origin']).toBe(allowed ? origin : undefined);
    expect(response.headers.vary).toContain('Origin');
  }
});

test('a name that a list lacks is not allowed, and the log says what browser clients cannot do', async () => {
  const { lines, logger } = createRecordingLogger();
  const app = createApp({
    allowedOrigins: [PAGE],
    allowedHeaders: ['mcp-protocol-version', 'content-type', 'cache-control'],
    exposedHeaders: ['Mcp-Session-Id'],
    methods: ['GET', 'POST'],
    logger,
  });
  const { headers } = await preflight(app);
  expect(headers['access-control-allow-headers']).toBe('mcp-protocol-version,content-type,cache-control');
  expect(headers['access-control-expose-headers']).toBe('Mcp-Session-Id');
  expect(headers['access-control-allow-methods']).toBe('GET,POST');
  expect(lines).toEqual([
    'warn mcpCors(): allowedHeaders lacks "Authorization": a client in a browser cannot send its token',
    'warn mcpCors(): allowedHeaders lacks "Mcp-Session-Id": a client in a browser cannot keep its session',
    'warn mcpCors(): allowedHeaders lacks "Last-Event-ID": a client in a browser cannot resume a stream',
    'warn mcpCors(): allowedHeaders lacks "Mcp-Method": a client in a browser cannot speak MCP 2026-07-28',
    'warn mcpCors(): allowedHeaders lacks "Mcp-Name": a client in a browser cannot speak MCP 2026-07-28',
    'warn mcpCors(): exposedHeaders lacks "WWW-Authenticate": a client in a browser cannot find out where to log in',
    'warn mcpCors(): exposedHeaders lacks "MCP-Protocol-Version": a client in a browser cannot say which protocol it speaks',
    'warn mcpCors(): methods lacks "DELETE": a client in a browser cannot end its session',
  ]);
});

test('a star in the list of headers allows every header that a page asks for, Authorization included', async () => {
  const { headers } = await preflight(createApp({ allowedHeaders: ['*'] }));
  expect(headers['access-control-allow-headers']).toBe('authorization');
});

test.each<[what: string, options: McpCorsOptions, asked: string, further: string]>([
  ['by default', {}, 'authorization,mcp-param-region, Mcp-Param-x,x-other', ',mcp-param-region,Mcp-Param-x'],
  ['with given prefixes', { allowedHeaders: ['X-My-*', 'Mcp-*'] }, 'x-my-a,mcp-name,x-m', 'x-my-a,mcp-name'],
  ['with invalid names', {}, 'mcp-param-a b,mcp-param-(', ''],
])('headers with an allowed prefix: %s', async (_what, options, asked, further) => {
  const { headers } = await preflight(createApp(options), '/mcp', PAGE, asked);
  const allowed = headers['access-control-allow-headers'] as string;
  expect(allowed.replace(/^.*DPoP/, '')).toBe(further);
});

test('a prefix covers the headers that MCP clients need', () => {
  const { lines, logger } = createRecordingLogger();
  mcpCors({
    allowedOrigins: [PAGE],
    allowedHeaders: ['Authorization', 'Content-Type', 'Last-Event-ID', 'mcp-*'],
    logger,
  });
  expect(lines).toEqual([]);
});

test.each<[string, unknown, string]>([
  [
    'a misspelt option',
    { allowedOrgins: '*' },
    'option "allowedOrgins" must be a known option, but got "allowedOrgins". Did you mean "allowedOrigins"?',
  ],
  ['the middleware without a call', { headers: {}, url: '/' }, 'Write app.use(mcpCors()).'],
  ['a string', 'https://app.example.com', 'option "options" must be an object, but got "https://app.example.com".'],
  ['cookies for all', { credentials: true }, 'option "credentials" must be false where every origin is allowed'],
  [
    'cookies for all in a list',
    { allowedOrigins: ['*'], credentials: true },
    'must be false where every origin is allowed',
  ],
  ['cookies that are text', { credentials: 'yes' }, 'option "credentials" must be true or false, but got "yes".'],
  [
    'an origin with a path',
    { allowedOrigins: ['https://a.example/'] },
    'option "allowedOrigins[0]" must be an origin in lower case',
  ],
  ['an origin in upper case', { allowedOrigins: ['https://A.example'] }, 'must be an origin in lower case'],
  ['a default port', { allowedOrigins: ['https://a.example:443'] }, 'must be an origin in lower case'],
  ['a star within a label', { allowedOrigins: ['https://a*.example'] }, 'must be an origin in lower case'],
  ['a star for the scheme', { allowedOrigins: ['*://a.example'] }, 'must be an origin in lower case'],
  ['the origin null', { allowedOrigins: ['null'] }, 'must be an origin in lower case'],
  ['a star for every host', { allowedOrigins: ['https://*'] }, 'must be an origin in lower case'],
  [
    'origins as text',
    { allowedOrigins: 'https://a.example' },
    'option "allowedOrigins" must be an array of non-empty strings',
  ],
  ['a header with a line break', { exposedHeaders: ['A\r\nB'] }, 'option "exposedHeaders" must be an array of names'],
  ['a negative age', { maxAgeSeconds: -1 }, 'option "maxAgeSeconds" must be a whole number of at least 0, but got -1.'],
  ['a logger that is none', { logger: {} }, 'option "logger" must be an object with debug, info, warn and error'],
])('%s is refused', (_name, options, message) => {
  expect(() => mcpCors(options as McpCorsOptions)).toThrow(message);
});

test.each([{}, { allowedOrigins: undefined, credentials: undefined }, Object.assign(Object.create(null), {})])(
  'options without values are the defaults',
  async (options) => {
    const { headers } = await preflight(createApp(options));
    expect(headers['access-control-allow-origin']).toBe('*');
  },
);

test.each<[what: string, options: McpCorsOptions, lacking: string[]]>([
  ['every name without cookies', { allowedOrigins: [PAGE] }, []],
  [
    'an ordinary name with cookies',
    { credentials: true, allowedOrigins: [PAGE] },
    ['exposedHeaders', 'exposedHeaders', 'exposedHeaders', 'methods'],
  ],
])('a star in exposedHeaders and methods is %s', (_what, options, lacking) => {
  const { lines, logger } = createRecordingLogger();
  mcpCors({ exposedHeaders: ['*'], methods: ['*'], ...options, logger });
  expect(lines.map((line) => /(\w+) lacks/.exec(line)?.[1])).toEqual(lacking);
});

test('the defaults cause no warning', () => {
  const { lines, logger } = createRecordingLogger();
  mcpCors({ allowedOrigins: [PAGE], logger });
  expect(lines).toEqual([]);
});

function corsHeaders(headers: Record<string, string>) {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('access-control-')));
}
