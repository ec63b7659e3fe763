import express from 'express';
import request from 'supertest';
import { expect, test } from 'vitest';
import { type Middleware, mcpAuth, mcpScopes, protectedResourceMetadata } from '../../src/index.js';
import { createTestIssuer } from '../../src/testing/index.js';
import { createRecordingLogger } from '../support/recording-logger.js';

const swallow: Middleware = (req, _res, next) => void req.resume().on('end', () => setImmediate(next));

const issuer = createTestIssuer();
const BASE = '/.well-known/oauth-authorization-server/mcp';

function createApp() {
  const { lines, logger } = createRecordingLogger();
  const policy = issuer.policy({
    ...{ resource: 'https://read.example/mcp', provider: { standard: {} }, clientId: 'id', logger },
    oauthProxy: { secret: 's'.repeat(32) },
  });
  const app = express().use(swallow, protectedResourceMetadata(policy), mcpAuth(policy));
  app.use(mcpScopes({ 'tools/call': { '*': ['a'] } }, { logger }), (_req, res) => res.send('reached'));
  return { app, lines };
}

const FORM = 'application/x-www-form-urlencoded';

test.each([
  ['mcpScopes()', '/mcp', 'application/json', '{"jsonrpc":"2.0","id":1,"method":"ping"}'],
  ['protectedResourceMetadata()', `${BASE}/client-registration`, 'application/json', '{"redirect_uris":[]}'],
  ['protectedResourceMetadata()', `${BASE}/token`, FORM, 'grant_type=refresh_token'],
])('%s answers 500 as JSON, and logs what to do', async (who, path, type, body) => {
  const { app, lines } = createApp();
  const authorization = `Bearer ${issuer.token()}`;
  const answer = await request(app).post(path).set({ authorization, 'content-type': type }).send(body);
  expect([answer.status, answer.type]).toEqual([500, 'application/json']);
  expect(answer.body.error).toSatisfy((error) => error === 'server_error' || error.data.reason === 'body_already_read');
  expect(lines.filter((line) => line.startsWith('error'))).toEqual([
    `error ${who}: An earlier middleware read the request body and did not keep it in req.body: ` +
      `mount ${who} before that middleware, or make the middleware keep the body in req.body`,
  ]);
});
