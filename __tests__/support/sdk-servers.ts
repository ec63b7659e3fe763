import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { NodeStreamableHTTPServerTransport, toNodeHandler } from '@modelcontextprotocol/node';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import type { RequestHandler } from 'express';
import { onTestFinished } from 'vitest';
import { mcpStdioBackend } from '../../src/index.js';
import { createNotesServer } from '../fixtures/notes-server.mjs';

/** Creates an MCP server to mount behind `mcpScopes()`. */
export type CreateServer = () => RequestHandler;

/** The place where a transport reads the body: in `req.body`, or in the request, as if no middleware had read it before. */
type BodySource = 'req.body' | 'the request';

function sdkV1(source: BodySource, enableJsonResponse: boolean): CreateServer {
  return () => {
    const transports = new Map<string, StreamableHTTPServerTransport>();
    return async (req, res) => {
      let transport = transports.get(String(req.headers['mcp-session-id']));
      if (transport === undefined) {
        const fresh = new StreamableHTTPServerTransport({
          sessionIdGenerator: randomUUID,
          enableJsonResponse,
          onsessioninitialized: (id) => void transports.set(id, fresh),
        });
        await createNotesServer().connect(fresh as never);
        transport = fresh;
      }
      await transport.handleRequest(req as never, res, source === 'req.body' ? req.body : undefined);
    };
  };
}

function sdkV2(source: BodySource): CreateServer {
  return () => {
    const transports = new Map<string, NodeStreamableHTTPServerTransport>();
    return async (req, res) => {
      let transport = transports.get(String(req.headers['mcp-session-id']));
      if (transport === undefined) {
        const fresh = new NodeStreamableHTTPServerTransport({
          sessionIdGenerator: randomUUID,
          onsessioninitialized: (id) => void transports.set(id, fresh),
        });
        await createV2Server().connect(fresh);
        transport = fresh;
      }
      await transport.handleRequest(req as never, res, source === 'req.body' ? req.body : undefined);
    };
  };
}

function sdkV2Handler(source: BodySource): CreateServer {
  return () => {
    const handle = toNodeHandler(createMcpHandler(createV2Server));
    return (req, res) => void handle(req as never, res as never, source === 'req.body' ? req.body : undefined);
  };
}

function createV2Server(): McpServer {
  const server = new McpServer({ name: 'notes', version: '1' });
  for (const name of ['echo', 'delete_file']) {
    server.registerTool(name, { description: name }, async (context) => {
      const auth = context.http?.authInfo as { payload?: { sub?: string } } | undefined;
      return { content: [{ type: 'text', text: `${name} for ${auth?.payload?.sub ?? 'anonymous'}` }] };
    });
    server.registerPrompt(`${name}_prompt`, {}, async () => ({ messages: [] }));
    const uri = `note:///${name}`;
    server.registerResource(name, uri, {}, async () => ({ contents: [{ uri, text: name }] }));
  }
  return server;
}

export const NOTES = fileURLToPath(new URL('../fixtures/notes-server.mjs', import.meta.url));

function bridge(): RequestHandler {
  const backend = mcpStdioBackend({ command: process.execPath, args: [NOTES, '--stdio'] });
  onTestFinished(() => backend.close());
  return backend as RequestHandler;
}

/** Every kind of server that can be mounted behind `mcpScopes()`. */
export const REAL_SERVERS: readonly [name: string, create: CreateServer][] = [
  ['the stdio bridge', () => bridge()],
  ['SDK v1, event streams, given req.body', sdkV1('req.body', false)],
  ['SDK v1, JSON, given req.body', sdkV1('req.body', true)],
  ['SDK v1, reading the request itself', sdkV1('the request', false)],
  ['SDK v2, given req.body', sdkV2('req.body')],
  ['SDK v2, reading the request itself', sdkV2('the request')],
  ['SDK v2 createMcpHandler(), given req.body', sdkV2Handler('req.body')],
  ['SDK v2 createMcpHandler(), reading the request itself', sdkV2Handler('the request')],
];
