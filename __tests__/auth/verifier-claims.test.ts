import express from 'express';
import request from 'supertest';
import { describe, expect, test } from 'vitest';
import { type AuthDecision, mcpAuthorization } from '../../src/index.js';
import { createProtectedApp } from '../support/protected-app.js';

const OWN_ISSUER = 'urn:express-mcp-auth:verifier:0';
const LATER = 4_000_000_000;
const decided = { subject: 'alice', clientId: 'app', scopes: ['read'], expiresAt: LATER, issuer: 'https://a.example' };

/** The claims of a provider about another user, as a verifier may pass them on. */
const extra = {
  ...{ iss: 'https://issuer.example', sub: 'admin', exp: 1 },
  ...{ client_id: 'c', azp: 'c', cid: 'c', appid: 'c', scope: 'admin', scp: ['admin'] },
  ...{ email: 'a@a.example', iat: 7, jti: 'x', aud: 'y' },
};
const further = { email: 'a@a.example', iat: 7, jti: 'x', aud: 'y' };

describe('claims in "extra" do not decide who is calling', () => {
  test.each<[what: string, result: object, payload: object]>([
    ['nothing but scopes', { scopes: [] }, { iss: OWN_ISSUER, scope: '' }],
    ['empty names', { scopes: [], subject: '', clientId: '', issuer: '' }, { iss: OWN_ISSUER, scope: '' }],
    ['all members', decided, { iss: 'https://a.example', sub: 'alice', client_id: 'app', scope: 'read', exp: LATER }],
  ])('beside %s', async (_what, result, payload) => {
    const { status, body } = await createProtectedApp({ verifiers: [() => ({ ...result, extra })] }).send('opaque');
    expect(status).toBe(200);
    expect(body.payload).toEqual({ ...further, ...payload });
    expect(body.extra).toEqual(body.payload);
  });

  test('so rules read the same caller as decisions have', async () => {
    const decisions: AuthDecision[] = [];
    const onDecision = (decision: AuthDecision) => void decisions.push(decision);
    const protectedApp = createProtectedApp({ verifiers: [() => ({ scopes: [], extra })], onDecision });
    const guard = mcpAuthorization({ rules: ['jwt.sub == "admin"', 'jwt.exp == 1', 'jwt.azp == "c"'] });
    const app = express().use(
      '/mcp',
      protectedApp.auth,
      guard,
      (_req, res) => void res.json({ jsonrpc: '2.0', id: 1 }),
    );
    const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'x', arguments: {} } };
    const headers = { authorization: 'Bearer opaque', accept: 'application/json, text/event-stream' };
    const { body } = await request(app).post('/mcp').set(headers).send(call);
    expect(body.result).toBeUndefined();
    expect(body.error).toBeDefined();
    expect(decisions).toMatchObject([{ outcome: 'passed', subject: undefined, clientId: '' }]);
  });
});
