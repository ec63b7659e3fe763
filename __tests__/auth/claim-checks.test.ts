import express, { type RequestHandler } from 'express';
import { claimCheck, claimEquals, claimIncludes, requiredScopes } from 'express-oauth2-jwt-bearer';
import request from 'supertest';
import { expect, test } from 'vitest';
import { mcpAuth } from '../../src/index.js';
import { claims, ISSUER, RESOURCE } from '../support/protected-app.js';
import { createSigner } from '../support/signer.js';

const signer = createSigner();

test.each<
  [name: string, check: RequestHandler, good: Record<string, unknown>, bad: Record<string, unknown>, status: number]
>([
  ['requiredScopes', requiredScopes('read write'), { scope: 'read write' }, { scope: 'read' }, 403],
  ['claimEquals', claimEquals('tenant', 'acme'), { tenant: 'acme' }, { tenant: 'evil' }, 401],
  ['claimIncludes', claimIncludes('roles', 'boss'), { roles: ['boss', 'x'] }, { roles: ['x'] }, 401],
  ['claimCheck', claimCheck(({ sub }) => sub === 'alice'), { sub: 'alice' }, { sub: 'bob' }, 401],
])('%s of express-oauth2-jwt-bearer works behind mcpAuth()', async (_name, check, good, bad, status) => {
  const app = express();
  app.use(mcpAuth({ issuer: ISSUER, audiences: [RESOURCE], jwks: { keys: [signer.jwk] } }), check);
  app.get('/', (_req, res) => res.end());
  const send = (changes: Record<string, unknown>) =>
    request(app)
      .get('/')
      .auth(signer.sign(claims(changes)), { type: 'bearer' });
  expect((await send(good)).status).toBe(200);
  expect((await send(bad)).status).toBe(status);
});
