import { createServer, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { mcpAdmin } from '../../src/admin/mcp-admin.js';
import { mcpStdioBackend } from '../../src/index.js';
import { adminPageAt } from '../support/admin-app.js';
import { listen, originOf, stop } from '../support/loopback-server.js';
import { NODE } from '../support/stdio-bridge.js';

interface Received {
  readonly id?: number;
  readonly method?: string;
}

/** Serves the page, and at `/mcp` a server that accepts `initialize` and answers all else with `answer`. */
async function serveHostile(answer: (message: Received, res: ServerResponse) => void) {
  const backend = mcpStdioBackend({ command: NODE, args: ['-e', ''] });
  onTestFinished(() => backend.close());
  const admin = mcpAdmin({ authorize: 'loopback', backends: { '/mcp': backend } });
  onTestFinished(() => admin.close());
  const server = createServer(async (req, res) => {
    if (req.url !== '/mcp') return admin(req, res, () => res.destroy());
    const message = JSON.parse((await text(req)) || '{}') as Received;
    if (message.method === 'initialize') reply(res, message, { protocolVersion: '2025-06-18' });
    else if (message.id === undefined) res.writeHead(202).end();
    else answer(message, res);
  });
  await listen(server);
  onTestFinished(() => stop(server));
  return adminPageAt(`${originOf(server)}/`);
}

function reply(res: ServerResponse, { id }: Received, result: object): void {
  res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id, result }));
}

test('requests with unusable tokens do not count as running calls', async () => {
  const { post } = await serveHostile((message, res) => reply(res, message, { tools: [] }));
  for (let i = 0; i < 11; i++)
    expect(await post('api/tools', { route: '/mcp', token: 'two words' })).toMatchObject({ status: 400 });
  expect(await post('api/tools', { route: '/mcp' })).toMatchObject({ status: 200, body: { tools: [] } });
});

test('a list whose pages together are too long is refused', async () => {
  let pages = 0;
  const { post } = await serveHostile((message, res) => {
    pages += 1;
    reply(res, message, { tools: [{ name: 'a', description: 'x'.repeat(1_000_000) }], nextCursor: 'next' });
  });
  const answer = await post('api/tools', { route: '/mcp' });
  expect(answer).toMatchObject({ status: 502, body: { error: 'answer_too_long' } });
  expect(pages).toBe(5);
});
