import connect from 'connect';
import express from 'express';
import express4 from 'express4';
import request from 'supertest';
import { describe, expect, test } from 'vitest';
import { type AuthDecision, getAuth, type Middleware, mcpAuth, protectedResourceMetadata } from '../../src/index.js';
import { unreachableUrl } from '../support/loopback-server.js';
import { claims, expectInvalidToken, expectTokenRequired, ISSUER, RESOURCE } from '../support/protected-app.js';
import { createSigner } from '../support/signer.js';

const signer = createSigner();
const policy = {
  issuer: ISSUER,
  jwks: { keys: [signer.jwk] },
  resourceMetadata: { resource: RESOURCE, scopesSupported: ['read:all'], bearerMethodsSupported: ['header'] },
} as const;

const echo: Middleware = (req, res) => {
  res.end(JSON.stringify({ who: getAuth(req)?.payload.sub ?? null }));
};

const frameworks = {
  'Express 5': () => express(),
  'Express 4': () => express4(),
  Connect: () => connect(),
} as const;

const orders = {
  'mcpAuth first': [mcpAuth(policy), protectedResourceMetadata(policy)],
  'metadata first': [protectedResourceMetadata(policy), mcpAuth(policy)],
} as const;

describe.each(Object.keys(frameworks) as (keyof typeof frameworks)[])('on %s', (framework) => {
  describe.each(Object.keys(orders) as (keyof typeof orders)[])('%s', (order) => {
    const app = frameworks[framework]() as ReturnType<typeof connect>;
    for (const middleware of orders[order]) app.use(middleware as connect.NextHandleFunction);
    app.use('/mcp', echo as connect.NextHandleFunction);

    test('the answer to a request without a token says where the metadata is', async () => {
      expectTokenRequired(await request(app).post('/mcp').send({ jsonrpc: '2.0' }));
    });

    test('the metadata is served without a token', async () => {
      const response = await request(app).get('/.well-known/oauth-protected-resource/mcp');
      expect(response.status).toBe(200);
      expect(response.text).toBe(
        `{"resource":"${RESOURCE}","authorization_servers":["${ISSUER}"],"mcp_protocol_version":"2025-06-18",` +
          '"resource_type":"mcp-server","bearer_methods_supported":["header"],"scopes_supported":["read:all"]}',
      );
    });

    test('a good token passes, at the mounted path and below', async () => {
      for (const path of ['/mcp', '/mcp/', '/mcp/more?x=1']) {
        const response = await request(app).get(path).auth(signer.sign(claims()), { type: 'bearer' });
        expect(JSON.parse(response.text)).toEqual({ who: 'alice' });
      }
    });

    test('a bad token is refused', async () => {
      const response = await request(app)
        .get('/mcp')
        .auth(createSigner({ kid: signer.kid }).sign(claims()), { type: 'bearer' });
      expectInvalidToken(response, 'The token has an invalid signature');
    });
  });

  test('a key set that cannot be read is 503 without a challenge, and goes to the error handler', async () => {
    const down = { ...policy, jwks: { url: await unreachableUrl() } };
    const app = frameworks[framework]() as ReturnType<typeof connect>;
    const seen: unknown[] = [];
    app.use(mcpAuth(down) as connect.NextHandleFunction);
    app.use(((error, _req, res, _next) => {
      seen.push(error.code);
      res.statusCode = error.status;
      res.end();
    }) as connect.ErrorHandleFunction);
    const response = await request(app).get('/mcp').auth(signer.sign(claims()), { type: 'bearer' });
    expect(response.status).toBe(503);
    expect(response.headers['www-authenticate']).toBeUndefined();
    expect(Number(response.headers['retry-after'])).toBeGreaterThan(0);
    expect(seen).toEqual(['key_set_unavailable']);
  });

  test.each([
    ['application/json', true],
    ['application/json, text/event-stream', true],
    ['text/event-stream, Application/JSON;q=0.5', true],
    ['text/html, application/json;q=0, */*', false],
    ['text/html', false],
    ['*/*', false],
    ['application/jsonp', false],
    ['', false],
  ])('an outage is JSON for a client that accepts %j: %s', async (accept, expected) => {
    const down = {
      ...policy,
      jwks: { url: await unreachableUrl() },
      onDecision: ({ code }: AuthDecision) => void codes.push(code),
    };
    const codes: unknown[] = [];
    const app = frameworks[framework]() as ReturnType<typeof connect>;
    app.use(mcpAuth(down) as connect.NextHandleFunction);
    const token = signer.sign(claims());
    const { status, headers, text } = await request(app)
      .get('/mcp')
      .set('accept', accept)
      .auth(token, { type: 'bearer' });
    expect([status, codes, headers['www-authenticate']]).toEqual([503, ['key_set_unavailable'], undefined]);
    expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    if (expected) {
      const error_description = 'The keys that verify tokens cannot be read at the moment';
      expect(JSON.parse(text)).toEqual({ error: 'key_set_unavailable', error_description });
    } else expect(headers['content-type']).toMatch(/^text\/html/);
  });
});

test('an outage keeps its Retry-After behind an error handler that drops other headers, as Koa does', async () => {
  const auth = mcpAuth({ ...policy, jwks: { url: await unreachableUrl() } });
  const app = express().use(auth);
  app.use(((error: { status: number; headers: Record<string, string> }, _req, res, _next) => {
    for (const name of res.getHeaderNames()) res.removeHeader(name);
    res.writeHead(error.status, error.headers);
    res.end();
  }) as express.ErrorRequestHandler);
  const answer = await request(app).get('/mcp').accept('*/*').auth(signer.sign(claims()), { type: 'bearer' });
  expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1']);
});
