import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { AuthInfo } from 'express-mcp-auth';

export function createMcpServer(): McpServer {
  const server = new McpServer({ name: 'existing-mcp-server', version: '1.0.0' });
  server.registerTool('whoami', { description: 'Says who is calling' }, ({ authInfo }) => {
    const { subject, clientId, scopes } = authInfo as AuthInfo;
    return { content: [{ type: 'text', text: `${subject}, with ${clientId}, may ${scopes.join(' and ')}` }] };
  });
  return server;
}
