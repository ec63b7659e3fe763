import connect from 'connect';
import express from 'express';
import request from 'supertest';
import { describe, expect, test } from 'vitest';
import { mcpAuth, protectedResourceMetadata } from '../../src/index.js';
import { serve } from '../support/loopback-server.js';
import { createRecordingLogger } from '../support/recording-logger.js';

const ROOT = '/.well-known/oauth-protected-resource';
const SERVER = '/.well-known/oauth-authorization-server';

/** Policies for resources at these paths of a new origin, in the order in which they are mounted. */
function createApp(paths: readonly string[], changes: Record<string, object> = {}) {
  const origin = `https://${crypto.randomUUID()}.example`;
  const { lines, logger } = createRecordingLogger();
  const policies = paths.map((path) => ({
    issuer: 'https://issuer.example',
    jwks: { url: 'https://issuer.example/jwks' },
    resourceMetadata: { resource: `${origin}${path}` },
    logger,
    ...changes[path],
  }));
  return { origin, lines, policies, hrefs: paths.map((path) => `${origin}${path}`) };
}

const ROWS: [string[], string | undefined][] = [
  [['/mcp'], '/mcp'],
  [[''], ''],
  [['/mcp', '/mcp'], '/mcp'],
  [['/mcp', ''], ''],
  [['', '/mcp'], ''],
  [['/mcp', '/'], '/'],
  [['/a', '/b'], undefined],
  [['/a', '/b', ''], ''],
  [['/a', '/a', '/b'], undefined],
  [['/a', '/a/'], '/a'],
];

describe.each(ROWS)('resources at %j', (paths, owner) => {
  test.each(['Express', 'Connect'])(
    `the root of the origin is described as that at ${owner}, in %s`,
    async (framework) => {
      const { origin, lines, policies } = createApp(paths);
      const app = framework === 'Express' ? express() : connect();
      for (const policy of policies) app.use(protectedResourceMetadata(policy));
      const { status, body, headers } = await request(app).get(ROOT);
      if (owner === undefined) expect([status, body.error]).toEqual([404, 'not_found']);
      else expect([status, body.resource]).toEqual([200, `${origin}${owner}`]);
      expect(headers['access-control-allow-origin']).toBe('*');
      const several = lines.filter((line) => line.includes(`${ROOT} answers 404`));
      expect(several.length > 0).toBe(owner === undefined || paths.indexOf(owner) > 1);
      for (const path of new Set(paths.filter((path) => path.length > 1))) {
        expect((await request(app).get(`${ROOT}${path}`)).body.resource).toBe(`${origin}${path}`);
      }
    },
  );
});

test('mcpAuth() of one of several resources keeps the root document from the application', async () => {
  const { lines, origin, hrefs, policies } = createApp(['/a', '/b']);
  const app = express();
  for (const policy of policies) app.use(mcpAuth(policy));
  app.use((_req, res) => res.send('the application'));
  for (const path of [ROOT, `${ROOT}?x`]) expect((await request(app).get(path)).status).toBe(404);
  expect((await request(app).post(ROOT)).status).toBe(405);
  expect(lines).toEqual([
    `info ${origin} has several resources (${hrefs.join(', ')}): ${ROOT} answers 404, as it can describe only one`,
  ]);
});

const provider = { provider: { standard: {} }, clientId: 'id', oauthProxy: { secret: 's'.repeat(32) } };
const withEndpoints = { ...provider, oauthProxy: { ...provider.oauthProxy, legacyEndpoints: true } };

test.each([
  ['one OAuth proxy', ['/a'], { '/a': provider }, 503],
  ['two OAuth proxies', ['/a', '/b'], { '/a': provider, '/b': provider }, 404],
  ['one OAuth proxy beside another resource', ['/a', '/b'], { '/a': provider }, 404],
  ['one OAuth proxy beside the resource of the origin', ['/a', ''], { '/a': provider }, 404],
  ['two OAuth proxies, the second with legacyEndpoints', ['/a', '/b'], { '/a': provider, '/b': withEndpoints }, 503],
])('%s: the authorization server of the origin', async (_name, paths, changes, expected) => {
  const { policies } = createApp(paths, changes as Record<string, object>);
  const app = express();
  for (const policy of policies) app.use(protectedResourceMetadata(policy));
  // 503: the document of an OAuth proxy whose authorization server is unreachable. 400: a registration without a body.
  expect((await request(app).get(SERVER)).status).toBe(expected);
  const registered = await request(app).post(`${SERVER}/client-registration`).set('content-type', 'application/json');
  expect(registered.status).toBe(expected === 404 ? 404 : 400);
  expect(registered.headers['access-control-allow-origin']).toBe('*');
});

test.each([
  [['', '/a'], 'plain', '/a'],
  [['/a', ''], 'plain', '/a'],
  [['', '/a'], 'an OAuth proxy', ''],
  [['/a', ''], 'an OAuth proxy', ''],
  [['/a', '', '/b'], 'an OAuth proxy', ''],
])(
  '%j, /a with legacyEndpoints, the origin %s: the authorization server is that of %j',
  async (paths, atOrigin, owner) => {
    const url = await serve((_req, res) => {
      const [endpoint, issuer] = ['https://issuer.example/x', 'https://issuer.example'];
      res.end(JSON.stringify({ issuer, authorization_endpoint: endpoint, token_endpoint: endpoint }));
    });
    const oauthProxy = { ...withEndpoints.oauthProxy, metadataUrl: `${url}/metadata` };
    const change = { ...withEndpoints, oauthProxy, dangerouslyAllowHttp: true };
    const { origin, policies } = createApp(paths, {
      '/a': change,
      '': atOrigin === 'an OAuth proxy' ? { ...change, oauthProxy: { ...oauthProxy, legacyEndpoints: false } } : {},
    });
    const app = express();
    for (const policy of policies) app.use(protectedResourceMetadata(policy));
    expect((await request(app).get(SERVER)).body.issuer).toBe(`${origin}${owner}`);
  },
);
