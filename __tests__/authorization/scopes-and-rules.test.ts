import { text } from 'node:stream/consumers';
import express from 'express';
import request from 'supertest';
import { expect, test } from 'vitest';
import { type Middleware, mcpAuth, mcpAuthorization, mcpScopes } from '../../src/index.js';
import { createTestIssuer } from '../../src/testing/index.js';
import { toolCall } from '../support/ruled-app.js';

const scopes = mcpScopes({ 'tools/call': { '*': true, write: ['files:write'] } }, { hide: true });
const rules = mcpAuthorization({ rules: [{ deny: 'mcp.tool.name == "delete" || mcp.tool.arguments.path == "/etc"' }] });
const TOOLS = ['read', 'write', 'delete'].map((name) => ({ name }));

function createApp(middlewares: readonly Middleware[]) {
  const issuer = createTestIssuer();
  const received: string[] = [];
  const app = express().use(mcpAuth(issuer.policy({ resource: 'https://mcp.example/mcp' })), ...middlewares);
  app.use(async (req, res) => {
    const body = await text(req);
    received.push(body);
    const list = JSON.stringify({ jsonrpc: '2.0', id: 1, result: { tools: TOOLS } });
    if (req.method === 'GET') res.type('text/event-stream').send(`id: 1\ndata: ${list}\n\n`);
    else res.type('json').send(list);
  });
  const headers = {
    authorization: `Bearer ${issuer.token({ scopes: [] })}`,
    accept: 'text/event-stream, application/json',
  };
  return { app, received, headers };
}

const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' };

test.each<[order: string, middlewares: readonly Middleware[]]>([
  ['mcpScopes() first', [scopes, rules]],
  ['mcpAuthorization() first', [rules, scopes]],
])('both decide on calls and lists: %s', async (_order, middlewares) => {
  const { app, received, headers } = createApp(middlewares);
  const post = (message: object) => request(app).post('/mcp').set(headers).send(message);
  expect((await post(list)).body.result.tools).toEqual([{ name: 'read' }]);
  expect((await request(app).get('/mcp').set(headers)).text).toContain('"tools":[{"name":"read"}]');
  const reached = received.length;
  for (const message of [
    toolCall('write'),
    toolCall('delete'),
    toolCall('read', { path: '/etc' }),
    [toolCall('read', { path: '/tmp' }), toolCall('delete', {}, 2)],
    [toolCall('read', { path: '/tmp' }), toolCall('write', { path: '/tmp' }, 2)],
  ]) {
    await post(message);
  }
  expect(received.length).toBe(reached);
  const call = toolCall('read', { path: '/tmp' });
  await post(call);
  expect(received.slice(reached)).toEqual([JSON.stringify(call)]);
});
