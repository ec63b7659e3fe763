import { Client as ClientV2, StreamableHTTPClientTransport as TransportV2 } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import express from 'express';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type McpScopesOptions, mcpAuth, mcpScopes } from '../../src/index.js';
import { createTestIssuer } from '../../src/testing/index.js';
import { serve } from '../support/loopback-server.js';
import { type CreateServer, REAL_SERVERS } from '../support/sdk-servers.js';

const RULES = {
  'tools/call': { delete_file: ['files:write'] },
  'prompts/get': { 'delete_*': ['files:write'] },
  'resources/read': { 'note:///delete_*': ['files:write'] },
};

const issuer = createTestIssuer();
const policy = issuer.policy({ resource: 'https://mcp.example/mcp' });

async function start(create: CreateServer, options: McpScopesOptions): Promise<URL> {
  const app = express().use(mcpAuth(policy));
  app.use('/mcp', mcpScopes(RULES, options), create());
  return new URL('/mcp', await serve(app));
}

const clients: [name: string, open: (url: URL, token: string) => Promise<Client>][] = [
  ['SDK v1 client', (url, token) => open(new Client(INFO), StreamableHTTPClientTransport as never, url, token)],
  ['SDK v2 client', (url, token) => open(new ClientV2(INFO) as never, TransportV2 as never, url, token)],
  [
    'SDK v2 client that speaks 2026-07-28 where the server does',
    (url, token) =>
      open(new ClientV2(INFO, { versionNegotiation: { mode: 'auto' } }) as never, TransportV2 as never, url, token),
  ],
];
const INFO = { name: 'test', version: '1' };

type AnyTransport = new (url: URL, options: { requestInit: RequestInit }) => StreamableHTTPClientTransport;

async function open(client: Client, Transport: AnyTransport, url: URL, token: string): Promise<Client> {
  await client.connect(new Transport(url, { requestInit: { headers: { authorization: `Bearer ${token}` } } }) as never);
  onTestFinished(() => client.close());
  return client;
}

async function listed(client: Client) {
  const [{ tools }, { prompts }, { resources }] = [
    await client.listTools(),
    await client.listPrompts(),
    await client.listResources(),
  ];
  return [...tools.map(({ name }) => name), ...prompts.map(({ name }) => name), ...resources.map(({ uri }) => uri)];
}

const FREE = ['echo', 'echo_prompt', 'note:///echo'];
const ALL = ['echo', 'delete_file', 'echo_prompt', 'delete_file_prompt', 'note:///echo', 'note:///delete_file'];

describe.each(REAL_SERVERS)('%s', (_server, create) => {
  test.each(clients)('%s: makes allowed calls, and lists what it may call', async (_client, connect) => {
    const url = await start(create, { hide: true, onInsufficientScope: 'jsonRpcError' });
    const writer = await connect(url, issuer.token({ sub: 'alice', scopes: ['files:write'] }));
    const reader = await connect(url, issuer.token({ sub: 'bob' }));

    expect(await listed(writer)).toEqual(ALL);
    expect(await listed(reader)).toEqual(FREE);
    expect((await writer.callTool({ name: 'delete_file' })).content).toEqual([textOf('delete_file')]);
    expect((await reader.callTool({ name: 'echo' })).content).toEqual([textOf('echo')]);
    for (const call of [
      () => reader.callTool({ name: 'delete_file' }),
      () => reader.getPrompt({ name: 'delete_file_prompt' }),
      () => reader.readResource({ uri: 'note:///delete_file' }),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: -32003, data: { requiredScopes: ['files:write'] } });
    }
  });
});

function textOf(name: string) {
  return { type: 'text', text: expect.stringMatching(`^${name} for (alice|bob|anonymous)$`) };
}

test('one of the clients above speaks 2026-07-28', async () => {
  const [, create] = REAL_SERVERS.find(([name]) => name.startsWith('SDK v2 createMcpHandler()')) ?? [];
  const url = await start(create as CreateServer, { hide: true });
  const client = new ClientV2(INFO, { versionNegotiation: { mode: 'auto' } });
  await open(client as never, TransportV2 as never, url, issuer.token());
  expect(client.getNegotiatedProtocolVersion()).toBe('2026-07-28');
});
