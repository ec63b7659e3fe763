import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { getUpstreamToken } from 'express-mcp-auth';

const api = process.env.API ?? 'https://api.github.com/user/repos';

export function createMcpServer(): McpServer {
  const server = new McpServer({ name: 'repositories', version: '1.0.0' });
  server.registerTool('list_repositories', { description: 'Lists your repositories' }, async ({ authInfo }) => {
    const headers = { authorization: `Bearer ${await getUpstreamToken(authInfo)}` };
    const response = await fetch(api, { headers });
    return { content: [{ type: 'text', text: await response.text() }], isError: !response.ok };
  });
  return server;
}
