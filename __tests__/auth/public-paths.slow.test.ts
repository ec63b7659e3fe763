import type { RequestListener } from 'node:http';
import connect from 'connect';
import express from 'express';
import express4 from 'express4';
import request from 'supertest';
import { describe, expect, test } from 'vitest';
import { type McpAuthOptions, type Middleware, mcpAuth, protectedResourceMetadata } from '../../src/index.js';
import { SECRET } from '../support/oauth-proxy-flow.js';
import { claims, ISSUER, RESOURCE } from '../support/protected-app.js';
import { PROVIDER_BEHAVIOURS } from '../support/provider-behaviours.js';
import { startProviderServer } from '../support/provider-server.js';
import { createSigner } from '../support/signer.js';

const signer = createSigner();
const BASE = '/.well-known/oauth-authorization-server/mcp';
const DISCOVERY = '/mcp/.well-known/openid-configuration';
const VERBS = ['get', 'head', 'post', 'put', 'patch', 'delete', 'options', 'trace', 'propfind'] as const;
type Verb = (typeof VERBS)[number];

const READ: readonly Verb[] = ['get', 'head', 'options'];
const VISIT: readonly Verb[] = ['get', 'head'];
const CALL: readonly Verb[] = ['post', 'options'];

/** Every public path of {@link oauthProxyPolicy}, with its methods. */
const PUBLIC: Readonly<Record<string, readonly Verb[]>> = {
  '/.well-known/oauth-protected-resource': READ,
  '/.well-known/oauth-protected-resource/mcp': READ,
  '/.well-known/oauth-authorization-server': READ,
  [BASE]: READ,
  '/.well-known/openid-configuration/mcp': READ,
  [DISCOVERY]: READ,
  [`${BASE}/client-registration`]: CALL,
  '/.well-known/oauth-authorization-server/client-registration': CALL,
  '/register': CALL,
  [`${BASE}/authorize`]: VISIT,
  '/authorize': VISIT,
  [`${BASE}/consent`]: ['post'],
  [`${BASE}/callback`]: VISIT,
  [`${BASE}/token`]: CALL,
  '/token': CALL,
  [`${BASE}/revocation`]: CALL,
};

const frameworks = {
  'Express 5': () => express(),
  'Express 4': () => express4(),
  Connect: () => connect(),
} as const;
const FRAMEWORKS = Object.keys(frameworks) as (keyof typeof frameworks)[];

type Mounted = readonly [path: string, middleware: Middleware];

interface App {
  readonly listener: RequestListener;
  /** The requests that reached the application's own handler, as method and target. */
  readonly reached: string[];
}

/** An app whose own handler gets every request that mcpAuth() does not answer. */
function createApp(framework: keyof typeof frameworks, mounted: readonly Mounted[]): App {
  const app = frameworks[framework]() as ReturnType<typeof connect>;
  const reached: string[] = [];
  for (const [path, middleware] of mounted) app.use(path, middleware as connect.NextHandleFunction);
  app.use((req, res) => {
    reached.push(`${req.method} ${req.originalUrl}`);
    res.end('the application');
  });
  return { listener: app, reached };
}

async function oauthProxyPolicy(changes: Record<string, unknown> = {}): Promise<McpAuthOptions> {
  const upstream = await startProviderServer(PROVIDER_BEHAVIOURS.keycloak.kind);
  return {
    issuer: upstream.issuer,
    audiences: ['mcp_proxy'],
    provider: { keycloak: {} },
    jwks: { keys: [signer.jwk] },
    resourceMetadata: { resource: RESOURCE },
    oauthProxy: { secret: SECRET, legacyEndpoints: true },
    ...changes,
  } as McpAuthOptions;
}

describe.each(FRAMEWORKS)('on %s, with mcpAuth() alone', (framework) => {
  test.each(['strict', 'optional', 'permissive'] as const)(
    'no request for a public path reaches the application, with or without a token, in %s mode',
    async (mode) => {
      const options = await oauthProxyPolicy({ mode });
      const { listener, reached } = createApp(framework, [['/', mcpAuth(options)]]);
      const token = signer.sign(claims({ iss: options.issuer, aud: 'mcp_proxy' }));
      for (const [path, verbs] of Object.entries(PUBLIC)) {
        for (const verb of VERBS) {
          const { status } = await request(listener)[verb](path);
          expect(status === 405, `${verb} ${path} is answered ${status}`).toBe(!verbs.includes(verb));
          await request(listener)[verb](`${path}?x=1`).auth(token, { type: 'bearer' });
        }
      }
      expect(reached).toEqual([]);
      expect((await request(listener).get('/other').auth(token, { type: 'bearer' })).text).toBe('the application');
    },
  );

  test('the documents are served, for pages of every origin', async () => {
    const { listener } = createApp(framework, [['/', mcpAuth(await oauthProxyPolicy())]]);
    for (const [path, verbs] of Object.entries(PUBLIC).filter(([, each]) => each === READ)) {
      const response = await request(listener).get(path).set('origin', 'https://client.example');
      expect(response.status, path).toBe(200);
      expect(response.headers['access-control-allow-origin']).toBe('*');
      expect(response.body.resource ?? response.body.issuer).toBe(RESOURCE);
      const preflight = await request(listener).options(path).set('access-control-request-method', 'GET');
      expect(preflight.status).toBe(204);
      expect(preflight.headers['access-control-allow-methods']).toBe(verbs.map((verb) => verb.toUpperCase()).join(','));
    }
  });
});

describe('a forgotten protectedResourceMetadata()', () => {
  test("leaves nothing open, where mcpAuth() is mounted on the server's path", async () => {
    const { listener, reached } = createApp('Express 5', [['/mcp', mcpAuth(await oauthProxyPolicy())]]);
    for (const verb of VERBS) {
      expect((await request(listener)[verb](DISCOVERY)).status === 405).toBe(!READ.includes(verb));
      expect((await request(listener)[verb]('/mcp')).status).toBe(401);
    }
    expect(reached).toEqual([]);
  });
});

const places = { 'mcpAuth at the root': '/', 'mcpAuth mounted on a path': '/mcp' } as const;

describe.each(FRAMEWORKS)('on %s', (framework) => {
  describe.each(Object.entries(places))('%s', (_name, place) => {
    test('protectedResourceMetadata() before or after it, with either argument: the outcome is the same', async () => {
      const options = await oauthProxyPolicy();
      const auth = mcpAuth(options);
      const mounted: Mounted = [place, auth];
      const rest: Mounted[] = [
        ['/', protectedResourceMetadata(options)],
        ['/', protectedResourceMetadata(auth)],
      ];
      const outcomes: unknown[] = [];
      for (const chain of rest.flatMap((metadata) => [
        [mounted, metadata],
        [metadata, mounted],
      ])) {
        const { listener, reached } = createApp(framework, chain);
        const seen: unknown[] = [];
        for (const path of [...Object.keys(PUBLIC), '/mcp', '/mcp/x']) {
          for (const verb of VERBS) {
            const { status, headers, text } = await request(listener)[verb](path);
            seen.push([verb, path, status, headers.allow, headers['access-control-allow-origin'], text]);
          }
        }
        expect(reached).toEqual([]);
        outcomes.push(seen);
      }
      for (const outcome of outcomes) expect(outcome).toEqual(outcomes[0]);
    });
  });
});

test('an application that has answered a request for a public path keeps its answer', async () => {
  const seen: unknown[] = [];
  const app = express();
  app.use((_req, res, next) => {
    res.status(504).end('too late');
    next();
  });
  app.use(mcpAuth(await oauthProxyPolicy()), (_req, _res) => void seen.push('the route'));
  app.use((error: unknown, _req: unknown, _res: unknown, _next: unknown) => void seen.push(error));
  for (const path of Object.keys(PUBLIC)) {
    for (const verb of VERBS) expect((await request(app)[verb](path)).status).toBe(504);
  }
  expect(seen).toEqual([]);
});

test('a req.auth that an earlier middleware set is gone when a public path fails', async () => {
  const policy = { issuer: ISSUER, audiences: ['api'], jwks: { keys: [signer.jwk] } };
  const app = express();
  app.use((req, _res, next) => {
    Object.assign(req, { auth: { clientId: 'mallory' }, app: { get: () => fail } });
    next();
  });
  app.use(mcpAuth(policy));
  app.use((_error: unknown, req: { auth?: unknown }, res: express.Response, _next: unknown) => {
    res.json({ auth: req.auth ?? null });
  });
  const fail = () => {
    throw new Error('trust proxy');
  };
  const response = await request(app).get('/.well-known/oauth-protected-resource');
  expect(response.body).toEqual({ auth: null });
});
