import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTestIssuer } from 'express-mcp-auth/testing';
import request from 'supertest';
import { createServer } from './server.js';

const issuer = createTestIssuer();
const app = createServer(issuer.policy({ resource: 'https://mcp.example.com/mcp', requiredScopes: ['notes:read'] }));
const get = (token: string) => request(app).get('/mcp').auth(token, { type: 'bearer' });

test('greets the user', async () => {
  const response = await get(issuer.token({ sub: 'alice', scopes: ['notes:read'] })).expect(200);
  assert.equal(response.body.hello, 'alice');
});

test('refuses callers without a valid token or scope', async () => {
  await request(app).get('/mcp').expect(401);
  await get(issuer.token()).expect(403);
  for (const token of [issuer.expiredToken(), issuer.forgedToken(), issuer.tokenFor('another')])
    await get(token).expect(401);
});
