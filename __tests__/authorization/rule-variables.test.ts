import express from 'express';
import request from 'supertest';
import { expect, test } from 'vitest';
import { API_KEY_ISSUER, attachAuth, issueAuth } from '../../src/core/auth-info.js';
import { type Middleware, mcpAuthorization } from '../../src/index.js';
import { setRefuser } from '../../src/oauth/refusal.js';
import { createRuledApp, toolCall } from '../support/ruled-app.js';

test('rules see headers as the application does', async () => {
  const rules = ['request.headers["x-org"] == "verified"', 'request.headers["x-twice"] == "a, b"'];
  const setOrg: Middleware = (req, _res, next) => {
    if (req.headers['x-org'] !== undefined) req.headers['x-org'] = 'verified';
    next();
  };
  const { post } = createRuledApp({ rules }, { before: [setOrg] });
  expect((await post(toolCall('echo'), {}, { 'x-org': 'forged' })).body).toEqual({ through: true });
  expect((await post(toolCall('echo'), {}, { 'x-twice': ['a', 'b'] as never })).body).toEqual({ through: true });
  expect((await post(toolCall('echo'))).body.error.code).toBe(-32602);
});

test('rules see the claims of an API key as apiKey, and no token', async () => {
  const payload = { iss: API_KEY_ISSUER, team: 'x' };
  const auth = { token: 'k', clientId: 'key', scopes: [], extra: payload, header: {}, payload };
  const asKey: Middleware = (req, _res, next) => {
    attachAuth(req, issueAuth(auth));
    setRefuser(auth, () => undefined);
    next();
  };
  const rules = [{ deny: 'jwt.team == "x"' }, 'apiKey.team == "x" && !has(jwt.team)'];
  const app = express().use(asKey, mcpAuthorization({ rules }), (_req, res) => void res.json({ through: true }));
  expect((await request(app).post('/').send(toolCall('echo'))).body).toEqual({ through: true });
});
