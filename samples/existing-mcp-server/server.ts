import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import express from 'express';
import { type AuthInfo, mcpAuth, protectedResourceMetadata } from 'express-mcp-auth';

const policy = {
  issuer: process.env.ISSUER ?? 'https://auth.example.com',
  resourceMetadata: { resource: 'http://localhost:3000/mcp', scopesSupported: ['profile'] },
};

function createMcpServer(): McpServer {
  const server = new McpServer({ name: 'existing-mcp-server', version: '1.0.0' });
  server.registerTool('whoami', { description: 'Says who is calling' }, ({ authInfo }) => {
    const { payload, clientId, scopes } = authInfo as AuthInfo;
    return { content: [{ type: 'text', text: `${payload.sub}, with ${clientId}, may ${scopes.join(' and ')}` }] };
  });
  return server;
}

const app = express();
app.use(mcpAuth(policy)); // who may pass
app.use(protectedResourceMetadata(policy)); // how clients find out where to get a token
app.post('/mcp', async (req, res) => {
  const server = createMcpServer();
  const transport = new StreamableHTTPServerTransport();
  res.on('close', () => void server.close());
  await server.connect(transport);
  await transport.handleRequest(req, res);
});

const listener = app.listen(Number(process.env.PORT ?? 3000), (error) => {
  if (error) throw error;
  console.log('Listening on', listener.address());
});
