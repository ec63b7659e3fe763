const assert = require('node:assert/strict');
const express = require('express');
const { getAuth, mcpAuth, mcpAuthorization } = require('express-mcp-auth');
const { createTestIssuer } = require('express-mcp-auth/testing');
const request = require('supertest');

const issuer = createTestIssuer();
const policy = issuer.policy({ resource: 'https://mcp.example.com/mcp' });
const app = express().use(mcpAuth(policy));
app.get('/mcp', (req, res) => res.json({ hello: getAuth(req).payload.sub }));

test('greets the user', async () => {
  const token = issuer.token({ sub: 'alice' });
  const { body } = await request(app).get('/mcp').auth(token, { type: 'bearer' }).expect(200);
  assert.equal(body.hello, 'alice');
});

test('refuses requests without a valid token', async () => {
  await request(app).get('/mcp').expect(401);
  await request(app).get('/mcp').auth(issuer.forgedToken(), { type: 'bearer' }).expect(401);
});

test('loads the check of DPoP proofs with the first policy that needs it', async () => {
  const bound = express().use(mcpAuth({ ...policy, senderConstraint: { dpop: {} } }));
  const token = issuer.token({ claims: { cnf: { jkt: 'thumbprint' } } });
  const { body } = await request(bound)
    .get('/mcp')
    .set({ authorization: `DPoP ${token}`, dpop: 'a.b.c' })
    .expect(401);
  assert.equal(body.error, 'invalid_dpop_proof');
});

test('rules are compiled when the middleware is created', () => {
  assert.equal(typeof mcpAuthorization({ rules: ['jwt.sub == "ada"'] }), 'function');
  assert.throws(() => mcpAuthorization({ rules: ['mcp.tool.nmae == "echo"'] }), /nmae/);
});
