import { randomUUID } from 'node:crypto';
import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { McpServer as ServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport as TransportV1 } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { McpServer as ServerV2 } from '@modelcontextprotocol/server';
import { expect, onTestFinished, test } from 'vitest';
import { serveObserved } from '../support/observed-app.js';
import { until } from '../support/until.js';

const KINDS = {
  'SDK v1': { Server: ServerV1, Transport: TransportV1 },
  'SDK v2': { Server: ServerV2, Transport: NodeStreamableHTTPServerTransport },
} as const;

/** A server with sessions, whose tool waits until it is cancelled. */
function createWaitingServer(kind: keyof typeof KINDS, enableJsonResponse: boolean) {
  const { Server, Transport } = KINDS[kind] as (typeof KINDS)['SDK v1'];
  const transports = new Map<unknown, TransportV1>();
  return async (req: Parameters<TransportV1['handleRequest']>[0], res: Parameters<TransportV1['handleRequest']>[1]) => {
    let transport = transports.get(req.headers['mcp-session-id']);
    if (transport === undefined) {
      const onsessioninitialized = (id: string) => void transports.set(id, fresh);
      const fresh = new Transport({ sessionIdGenerator: randomUUID, enableJsonResponse, onsessioninitialized });
      const server = new Server({ name: 'waiting', version: '1' });
      server.registerTool('wait', {}, async (extra: unknown) => {
        const { signal, mcpReq } = extra as { signal?: AbortSignal; mcpReq?: { signal: AbortSignal } };
        await new Promise((resolve) => (signal ?? mcpReq?.signal)?.addEventListener('abort', resolve));
        return { content: [] };
      });
      await server.connect(fresh as never);
      transport = fresh;
    }
    await transport.handleRequest(req, res);
  };
}

test.each(
  (['SDK v1', 'SDK v2'] as const).flatMap((kind) =>
    (['cancels', 'ends the session'] as const).flatMap((how) =>
      [false, true].map((isJson) => [kind, isJson ? 'JSON' : 'a stream', how] as const),
    ),
  ),
)('a server of %s that answers with %s: a call is cancelled at once if the client %s', async (kind, answer, how) => {
  const server = createWaitingServer(kind, answer === 'JSON');
  const { url, records } = await serveObserved((req, res) => void server(req, res));
  const client = new Client({ name: 'test', version: '1' });
  const transport = new StreamableHTTPClientTransport(new URL(url));
  await client.connect(transport as never);
  onTestFinished(() => client.close());
  const abort = new AbortController();
  const call = client.callTool({ name: 'wait' }, undefined, { signal: abort.signal });
  call.catch(() => undefined);
  await new Promise((resolve) => setTimeout(resolve, 100));
  if (how === 'cancels') abort.abort();
  else await transport.terminateSession();
  await until(() => records.length === 2, 5_000);
  expect(records[1]).toMatchObject({ name: 'wait', outcome: 'cancelled' });
});
