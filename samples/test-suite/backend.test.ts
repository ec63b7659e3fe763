import { after, test } from 'node:test';
import { createTestIssuer } from 'express-mcp-auth/testing';
import request from 'supertest';
import { createServer } from './backend-server.js';

const issuer = createTestIssuer();
const { app, backend } = createServer(issuer.policy({ resource: 'https://mcp.example.com/mcp' }));
// Otherwise the MCP servers that it has started run on, and node:test and Jest wait for them.
after(() => backend.close());

test('opens a session', async () => {
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'suite', version: '1' } };
  await request(app)
    .post('/mcp')
    .auth(issuer.token(), { type: 'bearer' })
    .set('accept', 'application/json, text/event-stream')
    .send({ jsonrpc: '2.0', id: 1, method: 'initialize', params })
    .expect(200)
    .expect('mcp-session-id', /./);
});
