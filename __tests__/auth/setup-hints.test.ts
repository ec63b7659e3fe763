import { once } from 'node:events';
import { createServer, get } from 'node:http';
import connect from 'connect';
import express from 'express';
import express4 from 'express4';
import { describe, expect, test } from 'vitest';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { createGateway } from '../../src/gateway/gateway.js';
import { mcpAuth, mcpCors, protectedResourceMetadata } from '../../src/index.js';
import { configText } from '../support/config-text.js';
import { listen, originOf, serve, stop } from '../support/loopback-server.js';
import { createRecordingLogger } from '../support/recording-logger.js';

const PATH = '/.well-known/oauth-protected-resource/mcp';

function createPolicy(changes: object = {}) {
  const { lines, logger } = createRecordingLogger();
  const resourceMetadata = { resource: 'https://hints.example/mcp' };
  const jwks = { url: 'https://issuer.example/jwks' };
  const policy = { issuer: 'https://issuer.example', jwks, resourceMetadata, logger, ...changes };
  return { policy, warnings: () => lines.filter((line) => line.startsWith('warn')) };
}

type Policy = ReturnType<typeof createPolicy>['policy'];
type Use = (path: string, ...handlers: unknown[]) => unknown;

/** Apps that serve the document where clients look for it, or do not. */
const APPS: [string, number | undefined, (app: { use: Use }, policy: Policy) => void][] = [
  ['no protectedResourceMetadata()', 404, (app, policy) => app.use('/mcp', mcpAuth(policy))],
  [
    'protectedResourceMetadata() under a prefix',
    404,
    (app, policy) => {
      app.use('/mcp', mcpAuth(policy));
      app.use('/api', protectedResourceMetadata(policy));
    },
  ],
  [
    'the page of a web application at every path',
    200,
    (app, policy) => {
      app.use('/mcp', mcpAuth(policy));
      app.use('/', (_req: unknown, res: { setHeader: Use; end: Use }) => {
        res.setHeader('content-type', 'text/html');
        res.end('<html>');
      });
    },
  ],
  ['mcpAuth() at the root', undefined, (app, policy) => app.use('/', mcpAuth(policy))],
  [
    'protectedResourceMetadata() at the root, with an equal policy',
    undefined,
    (app, policy) => {
      app.use('/mcp', mcpAuth(policy));
      app.use('/', protectedResourceMetadata({ ...policy }));
    },
  ],
  [
    'protectedResourceMetadata() at the path of the document',
    undefined,
    (app, policy) => {
      app.use('/mcp', mcpAuth(policy));
      app.use('/.well-known/oauth-protected-resource', protectedResourceMetadata(policy));
    },
  ],
  [
    'a document of its own',
    undefined,
    (app, policy) => {
      app.use('/mcp', mcpAuth(policy));
      app.use(PATH, (_req: unknown, res: { setHeader: Use; end: Use }) => {
        res.setHeader('content-type', 'application/json; charset=utf-8');
        res.end('{}');
      });
    },
  ],
];

const FRAMEWORKS = { 'Express 5': express, 'Express 4': express4, Connect: connect };

describe.each(Object.keys(FRAMEWORKS) as (keyof typeof FRAMEWORKS)[])('%s', (framework) => {
  test.each(APPS)('an app with %s: warned of %s', async (_name, status, build) => {
    const { policy, warnings } = createPolicy();
    const app = FRAMEWORKS[framework]();
    build(app as never, policy);
    const origin = await serve(app as never);
    for (const _client of [1, 2]) {
      await fetch(`${origin}/mcp`, { method: 'POST' });
      await fetch(origin + PATH);
    }
    expect(warnings()).toEqual(
      status === undefined
        ? []
        : [
            `warn mcpAuth(): clients cannot find out how to log in: something other than this package answered ${PATH}, with ${status}. ` +
              'Mount protectedResourceMetadata() with the same policy at the root of the app, outside any Router and without a path prefix',
          ],
    );
  });
});

test.each([
  ['a Router', '/api'],
  ['a Router behind a wildcard, as Nest mounts it', '/api/{*path}'],
])('both in %s: warned', async (_name, mount) => {
  const { policy, warnings } = createPolicy();
  const router = express.Router().use(mcpAuth(policy), protectedResourceMetadata(policy));
  const origin = await serve(express().use(mount, router));
  await fetch(`${origin}/api/mcp`, { method: 'POST' });
  await fetch(origin + PATH);
  expect(warnings()).toHaveLength(1);
});

test('in Nest without a prefix, where each request has another mount path: not warned', async () => {
  const { policy, warnings } = createPolicy();
  const origin = await serve(express().use('/{*path}', mcpAuth(policy), protectedResourceMetadata(policy)));
  await fetch(`${origin}/mcp`, { method: 'POST' });
  expect((await fetch(origin + PATH)).status).toBe(200);
  expect(warnings()).toEqual([]);
});

test('the document of another app in the same process does not count', async () => {
  const { policy, warnings } = createPolicy();
  const origin = await serve(express().use('/mcp', mcpAuth(policy)));
  const other = await serve(express());
  await fetch(`${origin}/mcp`, { method: 'POST' });
  await fetch(other + PATH);
  expect(warnings()).toEqual([]);
  await fetch(origin + PATH);
  expect(warnings()).toHaveLength(1);
});

test('servers that were closed do not count: after a hundred of them, another is warned', async () => {
  for (let i = 0; i < 100; i += 1) {
    const closed = createServer(express().use('/mcp', mcpAuth(createPolicy().policy)));
    await listen(closed);
    await fetch(`${originOf(closed)}/mcp`, { method: 'POST' });
    await stop(closed);
  }
  const { policy, warnings } = createPolicy();
  const origin = await serve(express().use('/mcp', mcpAuth(policy)));
  await fetch(`${origin}/mcp`, { method: 'POST' });
  await fetch(origin + PATH);
  expect(warnings()).toHaveLength(1);
});

const preflight = (url: string, headers: Record<string, string> = {}) =>
  fetch(url, { method: 'OPTIONS', headers: { origin: 'https://app.example', ...headers } });
const METHOD = { 'access-control-request-method': 'POST' };

const ODD_HEADERS: [string, string[]][] = [
  ['two Authorization headers', ['Authorization', 'Bearer a', 'Authorization', 'Bearer b']],
  ['a copy of it named', ['If-None-Match', '*']],
  ['more requests than the application allows', ['X-Too-Many', '1']],
];

test.each(ODD_HEADERS)('a first request with %s does not count, and the next one does', async (_name, headers) => {
  const { policy, warnings } = createPolicy();
  const app = express();
  let isServed = true;
  app.use((req, res, next) => (req.headers['x-too-many'] ? void res.status(429).end() : next()));
  app.use('/mcp', mcpAuth(policy));
  if (headers[0] === 'Authorization') app.use((req, res, next) => (isServed ? documents(req, res, next) : next()));
  app.get(PATH, (_req, res, next) => (isServed ? void res.json({ resource: 'https://hints.example/mcp' }) : next()));
  const documents = protectedResourceMetadata(policy);
  const url = await serve(app);
  await fetch(`${url}/mcp`, { method: 'POST' });
  const sent = get(`${url}${PATH}`, { headers: ['Host', 'a', ...headers] });
  await once(sent, 'response');
  expect(warnings()).toEqual([]);
  isServed = false;
  await fetch(`${url}${PATH}`);
  expect(warnings()).toEqual([expect.stringContaining(`something other than this package answered ${PATH}, with 404`)]);
});

test('mcpCors() after mcpAuth(): the first preflight is a warning, once', async () => {
  const { policy, warnings } = createPolicy();
  const origin = await serve(express().use(mcpAuth(policy), mcpCors()));
  await preflight(`${origin}/mcp`);
  expect(warnings(), 'no preflight').toEqual([]);
  for (const _page of [1, 2]) expect((await preflight(`${origin}/mcp`, METHOD)).status).toBe(401);
  expect(warnings()).toEqual([
    "warn mcpAuth(): a browser's preflight request was refused, because preflights carry no token: mount mcpCors() before mcpAuth()",
  ]);
});

test('mcpCors() before mcpAuth(), or a mode in which preflights pass: no warning', async () => {
  const { policy, warnings } = createPolicy();
  const origin = await serve(express().use(mcpCors(), mcpAuth(policy)));
  expect((await preflight(`${origin}/mcp`, METHOD)).status).toBe(204);
  const optional = createPolicy({ mode: 'optional' });
  const open = await serve(express().use(mcpAuth(optional.policy), mcpCors()));
  expect((await preflight(`${open}/mcp`, METHOD)).status).toBe(204);
  expect([...warnings(), ...optional.warnings()]).toEqual([]);
});

test('the advice for a configuration file names a member of the file', async () => {
  const { policy } = createPolicy();
  const { logger: _logger, ...mcpAuthentication } = policy;
  const { lines, logger } = createRecordingLogger();
  const config = parseConfigFile(configText({ bind: { port: 0 }, route: { policies: { mcpAuthentication } } }), '/');
  const gateway = createGateway(config, logger);
  const [address] = await gateway.listen('127.0.0.1');
  await preflight(`http://${address}/mcp`, METHOD);
  await gateway.close();
  expect(lines.filter((line) => line.includes('preflight'))).toEqual([
    "warn mcpAuth(): a browser's preflight request was refused, because preflights carry no token: set binds[0].listeners[0].routes[0].policies.cors",
  ]);
});
