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

const ADMIN_HOSTS = [
  ...['admin.example.com', 'ADMIN.example.com', 'admin.example.com.', 'admin.example.com:80', 'Admin.Example.Com.:080'],
  'admin.example.com:',
];
/** Readers may read these differently. */
const MALFORMED_HOSTS = ['u@admin.example.com', '%61dmin.example.com', 'admin.example.com/', 'admin.example.com, x'];

test.each<[host: string, isDenied: boolean]>([
  ...[...ADMIN_HOSTS, ...MALFORMED_HOSTS].map((host): [string, boolean] => [host, true]),
  ...['public.example.com', '[::1]:8080', '127.0.0.1'].map((host): [string, boolean] => [host, false]),
])('rules about the host and the URI deny the host %j: %j', async (host, isDenied) => {
  for (const deny of ['request.host == "admin.example.com"', 'request.uri.startsWith("http://admin.example.com/")']) {
    const { post } = createRuledApp({ rules: [{ deny }] });
    expect((await post(toolCall('echo'), {}, { host })).body.through).toBe(isDenied ? undefined : true);
  }
});

test('a request that names two hosts, or none, passes no rule about the host', async () => {
  for (const headers of [{ host: 'a.example', ':authority': 'admin.example' }, {}]) {
    const change: Middleware = (req, _res, next) => {
      delete req.headers.host;
      Object.assign(req.headers, headers);
      next();
    };
    const { post } = createRuledApp({ rules: [{ deny: 'request.host == "admin.example"' }] }, { before: [change] });
    expect((await post(toolCall('echo'))).body.error.code).toBe(-32602);
  }
});

test('rules see the scheme in lower case', async () => {
  const { post } = createRuledApp({ rules: [{ deny: 'request.scheme == "http"' }] }, { trustProxy: true });
  expect((await post(toolCall('echo'), {}, { 'x-forwarded-proto': 'HTTP' })).body.through).toBe(undefined);
  expect((await post(toolCall('echo'), {}, { 'x-forwarded-proto': 'https' })).body.through).toBe(true);
});
