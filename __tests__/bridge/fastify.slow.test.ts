import fastifyExpress from '@fastify/express';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import fastify from 'fastify';
import { expect, onTestFinished, test } from 'vitest';
import { mcpAuth, mcpStdioBackend } from '../../src/index.js';
import { createTestIssuer } from '../../src/testing/index.js';
import { post } from '../support/mcp-requests.js';
import { NODE, SCRIPTED } from '../support/stdio-bridge.js';

/** `mcpAuth()` and `mcpStdioBackend()` in a Fastify app, as @fastify/express mounts them. */
async function serveFastify(env: Readonly<Record<string, string>> = {}) {
  const issuer = createTestIssuer();
  const backend = mcpStdioBackend({ command: NODE, args: [SCRIPTED], env });
  const app = fastify({ forceCloseConnections: true });
  await app.register(fastifyExpress);
  app.use(mcpAuth(issuer.policy({ resource: 'https://mcp.example/mcp' })) as never);
  app.use('/mcp', backend as never);
  const origin = await app.listen({ port: 0, host: '127.0.0.1' });
  onTestFinished(async () => {
    await backend.close();
    await app.close();
  });
  return { url: `${origin}/mcp`, backend, headers: { authorization: `Bearer ${issuer.token()}` } };
}

test('an SDK client works behind @fastify/express, whose headersSent never becomes true', async () => {
  const { url, backend, headers } = await serveFastify();
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }) as never);
  expect((await client.listTools()).tools.map(({ name }) => name)).toContain('echo');
  const steps: number[] = [];
  const onprogress = ({ progress }: { progress: number }) => void steps.push(progress);
  await client.callTool({ name: 'progress', arguments: { steps: 3 } }, undefined, { onprogress });
  expect(steps).toEqual([1, 2, 3]);
  expect(backend.stats().sessions).toBe(1);
  await client.close();
});

test('a request that is refused behind @fastify/express is answered once', async () => {
  const { url, headers } = await serveFastify({ FAILS: '1' });
  expect((await post(url, { jsonrpc: '2.0', id: 1, method: 'ping' })).status).toBe(401);
  expect((await post(url, '{', headers)).status).toBe(400);
});
