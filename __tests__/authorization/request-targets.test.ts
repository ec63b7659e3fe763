import { createServer } from 'node:http';
import express from 'express';
import { expect, onTestFinished, test } from 'vitest';
import { mcpAuth, mcpAuthorization } from '../../src/index.js';
import { createTestIssuer } from '../../src/testing/index.js';
import { listen, originOf, stop } from '../support/loopback-server.js';
import { sendRaw } from '../support/raw-request.js';

const BODY = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x"}}';

async function isAllowed(rule: object, target: string): Promise<boolean> {
  const app = express();
  app.use(mcpAuth(createTestIssuer().policy({ resource: 'http://h/mcp', mode: 'optional' })));
  app.use(mcpAuthorization({ rules: [rule, { allow: 'true' }] as never }), (_req, res) => void res.json({}));
  const server = createServer(app);
  await listen(server);
  onTestFinished(() => stop(server));
  const head = `POST ${target} HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-type: application/json`;
  const answer = await sendRaw(originOf(server), `${head}\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`);
  expect(answer).toMatch(/^HTTP\/1.1 200/);
  return !answer.includes('"error"');
}

test.each([
  ['/mcp/admin', false],
  ['http://h/mcp/admin', false],
  ['http://h:/mcp/admin', false],
  ['http://h:000080/mcp/admin', false],
  ['http://user@h/mcp/admin', false],
  ['ws://h/mcp/admin', false],
  ['http:///mcp/admin', false],
  ['/mcp', true],
  ['http://h/mcp', true],
])('with a rule that denies a path, a call of %s is allowed: %s', async (target, expected) => {
  expect(await isAllowed({ deny: 'request.path == "/mcp/admin"' }, target)).toBe(expected);
});
