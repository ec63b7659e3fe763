import express, { type RequestHandler } from 'express';
import { expect, test } from 'vitest';
import { type CallRecord, mcpAuth, mcpCalls } from '../../src/index.js';
import { createTestIssuer } from '../../src/testing/index.js';
import { serve } from '../support/loopback-server.js';
import { result, toolCall } from '../support/observed-app.js';
import { until } from '../support/until.js';

test.each([
  ['with signed ids', { secret: 'x'.repeat(32), sessionOwners: 'sign' as const }],
  ['without', {}],
])('records have the id of a session as the client knows it, %s', async (_name, options) => {
  const issuer = createTestIssuer();
  const records: CallRecord[] = [];
  const app = express();
  app.use(mcpAuth(issuer.policy({ resource: 'https://mcp.example/mcp', ...options })));
  const answer: RequestHandler = (_req, res) => void res.setHeader('mcp-session-id', 'own-id').json(result());
  app.use('/mcp', mcpCalls({ onCall: (record) => void records.push(record) }) as RequestHandler, answer);
  const url = `${await serve(app)}/mcp`;
  const headers = { authorization: `Bearer ${issuer.token({ sub: 'ada' })}`, 'content-type': 'application/json' };
  const send = (message: object, more = {}) =>
    fetch(url, { method: 'POST', headers: { ...headers, ...more }, body: JSON.stringify(message) });

  const opened = await send({ jsonrpc: '2.0', id: 1, method: 'initialize', params: {} });
  const session = opened.headers.get('mcp-session-id') as string;
  expect(session === 'own-id').toBe(!('secret' in options));
  await (await send(toolCall(), { 'mcp-session-id': session })).text();
  await until(() => records.length === 2);
  expect(records.map((record) => record.session)).toEqual([session, session]);
});
