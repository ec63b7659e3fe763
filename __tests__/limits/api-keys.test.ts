import express from 'express';
import request from 'supertest';
import { expect, test } from 'vitest';
import { mcpAuth, mcpLimits } from '../../src/index.js';
import { createTestIssuer } from '../../src/testing/index.js';
import { makeKey } from '../support/api-keys.js';
import { hourly } from '../support/limited-app.js';

test('a limit per key counts each API key, and a caller without one as a user', async () => {
  const issuer = createTestIssuer();
  const [one, other] = [makeKey({ subject: 'ada' }), makeKey({ subject: 'ada' })];
  const policy = { ...issuer.policy({ resource: 'https://mcp.example/mcp' }), apiKeys: [one.entry, other.entry] };
  const app = express().use(mcpAuth(policy as never), mcpLimits([hourly('key', 1)]), (_req, res) => void res.json({}));
  const get = async (credential: string) =>
    (await request(app).get('/mcp').set('authorization', `Bearer ${credential}`)).status;
  const token = issuer.token({ sub: 'ada' });
  expect([await get(one.key), await get(one.key), await get(other.key), await get(token), await get(token)]).toEqual([
    200, 429, 200, 200, 429,
  ]);
});
