import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import express, { type Express } from 'express';
import { type McpAuth, type McpAuthOptions, mcpAuth, mcpCors, protectedResourceMetadata } from '../../src/index.js';
import { serve } from './loopback-server.js';

/** An MCP server in an Express app, behind both middlewares, on a free loopback port. */
export interface GuardedServer {
  readonly origin: string;
  readonly resource: string;
  readonly auth: McpAuth;
}

/**
 * @param policyFor Returns the policy for a resource, which is known only once the server listens.
 * @param mcp The handler behind `mcpAuth()`.
 */
export async function startGuardedServer(
  policyFor: (resource: string) => Record<string, unknown>,
  mcp: express.RequestHandler = answerMcp,
): Promise<GuardedServer> {
  let app: Express | undefined;
  const origin = await serve((req, res) => app?.(req, res));
  const resource = `${origin}/mcp`;
  const { resourceMetadata = {}, ...policy } = policyFor(resource) as { resourceMetadata?: object };
  const options = { ...policy, resourceMetadata: { resource, ...resourceMetadata } } as unknown as McpAuthOptions;
  const auth = mcpAuth(options);
  app = express().use('/mcp', mcpCors()).use(auth, protectedResourceMetadata(options));
  app.all('/mcp', mcp);
  return { origin, resource, auth };
}

/** Answers without sessions: a server for each request. */
export async function answerMcp(req: express.Request, res: express.Response): Promise<void> {
  const server = new McpServer({ name: 'guarded', version: '1' });
  server.registerTool('whoami', { description: 'Says whose token came' }, ({ authInfo }) => ({
    content: [{ type: 'text', text: JSON.stringify({ scopes: authInfo?.scopes }) }],
  }));
  const transport = new StreamableHTTPServerTransport({});
  res.on('close', () => void transport.close());
  await server.connect(transport as never);
  await transport.handleRequest(req as never, res);
}
