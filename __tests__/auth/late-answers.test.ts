import express from 'express';
import request from 'supertest';
import { describe, expect, test, vi } from 'vitest';
import { mcpAuth } from '../../src/index.js';
import { claims, ISSUER, RESOURCE } from '../support/protected-app.js';
import { createSigner } from '../support/signer.js';

const signer = createSigner();

describe('an application that has answered before mcpAuth() keeps its answer, and', () => {
  const known = signer.sign(claims());
  test.each([
    ['a known token goes on, as it would without mcpAuth()', known, 'strict', 'passed', ['the route']],
    ['so does one that is verified first', signer.sign(claims({ jti: 'new' })), 'strict', 'passed', ['the route']],
    ['so does an anonymous request in optional mode', undefined, 'optional', 'anonymous', ['the route']],
    ['a forged token goes nowhere', createSigner({ kid: signer.kid }).sign(claims()), 'strict', 'refused', []],
    ['a malformed token goes nowhere', 'x.y', 'strict', 'refused', []],
    ['no token goes nowhere', undefined, 'strict', 'refused', []],
  ] as const)('%s', async (_name, token, mode, expected, route) => {
    const decided: string[] = [];
    const seen: unknown[] = [];
    const app = express();
    app.use((req, res, next) => {
      if (req.path === '/late') res.status(504).end('too late');
      next();
    });
    const policy = { issuer: ISSUER, audiences: [RESOURCE], jwks: { keys: [signer.jwk] }, mode };
    app.use(mcpAuth({ ...policy, onDecision: ({ path, outcome }) => void decided.push(`${path} ${outcome}`) }));
    app.get('/late', () => void seen.push('the route'));
    app.get('/early', (_req, res) => void res.end());
    app.use((error: unknown, _req: unknown, _res: unknown, _next: unknown) => void seen.push(error));
    await request(app).get('/early').auth(known, { type: 'bearer' });
    const response = await request(app)
      .get('/late')
      .set(token === undefined ? {} : { authorization: `Bearer ${token}` });
    expect([response.status, response.text]).toEqual([504, 'too late']);
    await vi.waitFor(() => expect(decided).toEqual(['/early passed', `/late ${expected}`]), 15_000);
    expect(seen).toEqual(route);
  });
});

test('a refused request has no identity, even if an earlier middleware set one', async () => {
  const seen: unknown[] = [];
  const app = express();
  app.use((req, res, next) => {
    const claimed = req as unknown as { auth: unknown };
    claimed.auth = { payload: { sub: 'mallory' } };
    res.on('finish', () => seen.push(claimed.auth));
    next();
  });
  app.use(mcpAuth({ issuer: ISSUER, audiences: [RESOURCE], jwks: { keys: [signer.jwk] } }));
  expect((await request(app).get('/mcp')).status).toBe(401);
  expect(seen).toEqual([undefined]);
});
